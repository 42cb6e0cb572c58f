using Lateral.Diffusion.Models;
using Lateral.Diffusion.RewardModels;
using Lateral.Diffusion.Tokens;

namespace Lateral.Node.Composition;

/// <summary>Texts as a reward model reads them, in training as in a run: the prompt as its folder's chat template puts it, the completion behind it, and the end token where there is one.</summary>
internal sealed class RewardTokens
{
    private readonly BytePairTokenizer _tokenizer;
    private readonly PromptEncoder _encoder;

    private RewardTokens(BytePairTokenizer tokenizer, PromptEncoder encoder) => (_tokenizer, _encoder) = (tokenizer, encoder);

    /// <param name="folder">a model's, or a reward model's: config.json, tokenizer.json, and the chat template where there is one</param>
    /// <param name="who">what names the folder</param>
    /// <exception cref="UserException">a file is missing or cannot be used</exception>
    public static RewardTokens In(string folder, string who)
    {
        if (!File.Exists(Path.Combine(folder, ModelStore.ConfigFile)) || !File.Exists(Path.Combine(folder, TokenizerJson.File)))
            throw new UserException(ExitCode.Usage, $"{who} = {folder}: {ModelStore.ConfigFile} and {TokenizerJson.File} are not both there - a published model's directory has them, the export of a task's own characters has not");
        var tokenizer = RunTokenizer.Of(folder, who);
        // Without a clock: a reward that depends on the date would be another one tomorrow.
        return new(tokenizer, RunTokenizer.Encoder(folder, chat: null, tokenizer, who, clock: null));
    }

    /// <summary>Those of a model that is trained from nothing.</summary>
    public static RewardTokens OfBytes()
    {
        var tokenizer = RunTokenizer.OfBytes();
        return new(tokenizer, new PromptEncoder(tokenizer));
    }

    public RewardText Of(string prompt, string completion)
    {
        var tokens = _tokenizer.Encode(completion);
        return new(_encoder.Encode(prompt), _tokenizer.EndId is { } end ? tokens.Add(end) : tokens);
    }
}
