using System.Collections.Immutable;
using Lateral.Core;
using Lateral.Core.Rewards;
using Lateral.Diffusion;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.RewardModels;
using Lateral.Diffusion.Tokens;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Composition;

/// <summary>What <c>reward.kinds.reward-model</c> says.</summary>
/// <param name="Normalise">rewards less their mean over the held-out preferences, in units of their deviation there</param>
/// <param name="Batch">texts of a forward, at most</param>
/// <param name="MaxLength">tokens of prompt and completion, at most; null = all that the model reads</param>
/// <param name="PassAbove">what a reward has to exceed to pass an evaluation; null = it says nothing of that</param>
internal sealed record RewardModelSettings(string Path, string Device, bool Normalise, int Batch, int? MaxLength, double? PassAbove)
{
    /// <exception cref="RewardSettingException">a key is missing or out of range</exception>
    public static RewardModelSettings Of(VerifierKeys keys) => new(
        keys.Text("path"),
        keys.Text("device") is var device && (device is "cpu" or "cuda" || device.StartsWith("cuda:", StringComparison.Ordinal)) ? device : throw keys.Wrong("device", "cpu or cuda:N"),
        keys.Switch("normalise"),
        keys.Int("batch", 1, 4096, "texts of a forward"),
        keys.Optional("max-length") is null ? null : keys.Int("max-length", 2, 1 << 20, "tokens of prompt and completion"),
        keys.Optional("pass-above") is null ? null : keys.Number("pass-above", -1e6, 1e6, "a reward"));
}

/// <summary>
/// A reward learned from preferences, on a device of this process. Parts: <c>raw</c>, the reward as the model gives it; with pass-above <c>answer</c>, 1 where the reward is greater. The model is opened before a run
/// begins, or when it is first asked; until then neither libtorch nor the folder is touched.
/// </summary>
internal sealed class RewardModelReward(RewardModelSettings settings) : IPreparedReward, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private Task<Opened>? _opened;

    public string Device => settings.Device;

    /// <inheritdoc/>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        try
        {
            var opened = await OpenedAsync().WaitAsync(cancellation);
            _ = await opened.Scorer.ScoreAsync(opened.Tokens.Of("1 + 1 = ", "2"), cancellation);
        }
        catch (Exception mistake) when (IsOfTheModel(mistake))
        {
            throw new RewardUnavailableException($"reward-model path = {settings.Path}: {mistake.Message}", mistake);
        }
    }

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        try
        {
            var opened = await OpenedAsync().WaitAsync(cancellation);
            var (text, longest) = (opened.Tokens.Of(request.Prompt.Text, request.Completion), opened.Longest);
            if (text.Prompt.Length >= longest) return new RewardOutcome.InfraFault($"the prompt has {text.Prompt.Length} tokens, and the reward model reads {longest}");
            if (text.Length > longest) return new RewardOutcome.ModelFault("too-long");
            // Only where no token ends a text: otherwise an empty one has that.
            if (text.Completion.IsEmpty) return new RewardOutcome.ModelFault("empty");
            return Outcome(await opened.Scorer.ScoreAsync(text, cancellation), opened.Scorer.Info);
        }
        catch (Exception fault) when (IsOfTheModel(fault))
        {
            return new RewardOutcome.InfraFault(fault.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<Opened>? opened;
        lock (_gate) (opened, _opened) = (_opened, Task.FromException<Opened>(new ObjectDisposedException(nameof(RewardModelReward))));
        if (opened is null || await Task.WhenAny(opened) is { IsCompletedSuccessfully: false }) return;
        await (await opened).Scorer.DisposeAsync();
    }

    private RewardOutcome.Scored Outcome(double raw, RewardModelInfo info)
    {
        var value = settings.Normalise ? (raw - info.Mean) / info.Deviation : raw;
        var parts = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal).Add("raw", raw);
        return new(value, settings.PassAbove is { } bound ? parts.Add("answer", value > bound ? 1 : 0) : parts);
    }

    /// <summary>What failed once is tried again: the folder may be there by then.</summary>
    private Task<Opened> OpenedAsync()
    {
        lock (_gate) return _opened = _opened is null or { IsFaulted: true, Exception.InnerException: not ObjectDisposedException } ? Task.Run(OpenAsync) : _opened;
    }

    private async Task<Opened> OpenAsync()
    {
        var info = RewardModelInfo.Read(settings.Path);
        if (settings.Normalise && !(info.Deviation > 0))
            throw new ModelException("all rewards that it was measured with are equal, so they have no unit - write normalise = off, or train it on more pairs");
        var tokens = RewardTokens.In(settings.Path, "path");
        var scorer = await RewardScorer.OpenAsync(settings.Path, settings.Device, settings.Batch);
        if ((settings.MaxLength ?? scorer.MaxLength) is var longest && longest <= scorer.MaxLength) return new(scorer, tokens, longest);
        await using (scorer) throw new ModelException($"it reads {scorer.MaxLength} tokens - write max-length = {scorer.MaxLength}, or leave it out");
    }

    private static bool IsOfTheModel(Exception mistake) =>
        mistake is ModelException or SafetensorsException or TokenizerException or UserException or IOException or UnauthorizedAccessException or NativeBackendException or DeviceMemoryException
        || DeviceFaults.Of(mistake) != DeviceFault.None;

    private sealed record Opened(RewardScorer Scorer, RewardTokens Tokens, int Longest);
}
