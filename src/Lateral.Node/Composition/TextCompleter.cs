using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;

namespace Lateral.Node.Composition;

/// <summary>A text that a model wrote.</summary>
/// <param name="Tokens">without what ends it</param>
/// <param name="Forwards">of the batch that it was completed in</param>
internal sealed record CompletedText(string Text, int Tokens, int Forwards);

/// <summary>A published model's directory that answers in text: its tokenizer, its chat template, its family's decoder.</summary>
internal sealed class TextCompleter : IAsyncDisposable
{
    private readonly PublishedModel _model;
    private readonly BytePairTokenizer _tokenizer;
    private readonly PromptEncoder _encoder;
    private readonly IReadOnlyList<int> _ends;

    private TextCompleter(PublishedModel model, BytePairTokenizer tokenizer, PromptEncoder encoder, IReadOnlyList<int> ends) => (_model, _tokenizer, _encoder, _ends) = (model, tokenizer, encoder, ends);

    /// <param name="folder">config.json, weights and tokenizer.json</param>
    /// <param name="chat">whether prompts go into the chat template; null = where there is one</param>
    /// <param name="device">where libtorch is loaded already</param>
    /// <exception cref="UserException">a file is missing or cannot be used; says which and why</exception>
    public static async Task<TextCompleter> OpenAsync(string folder, bool? chat, string device, ModelPrecision precision)
    {
        var tokenizer = RunTokenizer.Of(folder, "MODEL");
        var encoder = RunTokenizer.Encoder(folder, chat, tokenizer, "MODEL", TimeProvider.System);
        try
        {
            var model = await PublishedModel.OpenAsync(folder, device, precision);
            return new(model, tokenizer, encoder, EndTokens.In(folder, model.Spec, tokenizer));
        }
        catch (Exception mistake) when (mistake is ModelException or SafetensorsException or IOException)
        {
            throw new UserException(ExitCode.Usage, $"MODEL: {mistake.Message}", mistake);
        }
    }

    /// <exception cref="UserException">settings that do not fit one another, or a prompt that is too long</exception>
    public async Task<ImmutableArray<CompletedText>> CompleteAsync(IReadOnlyList<string> prompts, CompletionSettings settings, CancellationToken cancellation)
    {
        try
        {
            var completed = await _model.CompleteAsync([.. prompts.Select(_encoder.Encode)], settings, _ends, cancellation);
            return [.. completed.Select(one => new CompletedText(_tokenizer.Decode(one.Tokens.AsSpan()), one.Tokens.Length, one.Forwards))];
        }
        catch (Exception mistake) when (mistake is DecodingException or ModelException)
        {
            throw new UserException(ExitCode.Usage, mistake.Message, mistake);
        }
    }

    public ValueTask DisposeAsync() => _model.DisposeAsync();
}
