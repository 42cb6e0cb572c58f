using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>A model directory as published, on a device, that completes prompts by its family's decoder. It owns a thread and the model; calls may come from any thread and are answered in turn.</summary>
public sealed class PublishedModel : IAsyncDisposable
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly DeviceThread _thread;
    private readonly TransformerModel _model;
    private readonly int _pad;

    private PublishedModel(DeviceThread thread, TransformerModel model) => (_thread, _model, _pad) = (thread, model, model.Spec.PadToken ?? model.Spec.EosToken ?? 0);

    public TransformerSpec Spec => _model.Spec;

    /// <summary>What a step may reveal, the family's own first.</summary>
    /// <exception cref="DecodingException">models of this kind are completed by no decoder here</exception>
    public static IReadOnlyList<string> Rules(TransformerSpec spec) => CompletionRules.Of(spec);

    /// <param name="device">for example <c>cpu</c> or <c>cuda:0</c></param>
    /// <param name="precision">that it is kept in and computes with</param>
    /// <exception cref="ModelException">the files do not fit one another, or ask for mathematics that is not implemented</exception>
    /// <exception cref="Checkpoints.SafetensorsException">a weights file is not sound</exception>
    public static async Task<PublishedModel> OpenAsync(string folder, string device, ModelPrecision precision)
    {
        var thread = new DeviceThread($"model on {device}", StopDeadline);
        try
        {
            TransformerModel? model = null;
            await thread.Run(() => model = ModelStore.Load(folder, torch.device(device), trainable: false, precision == ModelPrecision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32)).ConfigureAwait(false);
            return new(thread, model!);
        }
        catch
        {
            thread.Dispose();
            throw;
        }
    }

    /// <summary>Completes prompts together where the family can, those of unlike length padded on the left; otherwise one after the other.</summary>
    /// <param name="ends">tokens that end a completion, the usual one first; neither they nor what follows is part of it</param>
    /// <exception cref="DecodingException">settings that do not fit one another or the model</exception>
    /// <exception cref="ModelException">prompt and completion are longer than the model's longest canvas</exception>
    public async Task<ImmutableArray<CompletedPrompt>> CompleteAsync(IReadOnlyList<ImmutableArray<int>> prompts, CompletionSettings settings, IReadOnlyList<int> ends, CancellationToken cancellation)
    {
        var decoder = CompletionRules.Decoder(Spec, settings, ends.Count == 0 ? null : ends[0]);
        var completed = ImmutableArray.CreateBuilder<CompletedPrompt>(prompts.Count);
        foreach (var batch in decoder.Together ? [prompts] : prompts.Select(prompt => (IReadOnlyList<ImmutableArray<int>>)[prompt]))
        {
            cancellation.ThrowIfCancellationRequested();
            completed.AddRange(await _thread.Run(() => Complete(batch, decoder, settings.GenLength, ends)).ConfigureAwait(false));
        }

        return completed.ToImmutable();
    }

    public async ValueTask DisposeAsync()
    {
        await _thread.Run(_model.Dispose).WaitAsync(StopDeadline).ConfigureAwait(false);
        _thread.Dispose();
    }

    private CompletedPrompt[] Complete(IReadOnlyList<ImmutableArray<int>> prompts, CompletionDecoder decoder, int genLength, IReadOnlyList<int> ends)
    {
        var longest = prompts.Max(prompt => prompt.Length);
        long[] Row(ImmutableArray<int> prompt, Func<int, long> token, long fill) => [.. Enumerable.Repeat(fill, longest - prompt.Length), .. prompt.Select(id => token(id))];
        var prompt_BP = HostTensor.Of([.. prompts.SelectMany(prompt => Row(prompt, id => id, _pad))], prompts.Count, longest);
        var attend_BP = prompts.All(prompt => prompt.Length == longest) ? null : HostTensor.Of([.. prompts.SelectMany(prompt => Row(prompt, _ => 1, 0))], prompts.Count, longest);
        var forwards = 0;
        var ids_BL = decoder.Decode(_model, prompt_BP, attend_BP, _ => forwards++);
        var length = (int)ids_BL.shape[1];
        var ids = ids_BL.cpu().data<long>().ToArray();
        return
        [
            .. prompts.Select((_, row) => new CompletedPrompt(
                [.. ids.AsSpan((row * length) + longest, genLength).ToArray().Select(id => (int)id).TakeWhile(id => !ends.Contains(id) && id != Spec.MaskToken)], forwards)),
        ];
    }
}
