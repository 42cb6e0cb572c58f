using System.Collections.Immutable;
using System.Text;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Node.Composition;

/// <summary>What tells a run's tokens: the published model's own tokenizer where its directory has one, otherwise the characters of the task, or bytes where any text may come.</summary>
internal static class RunTokenizer
{
    /// <summary>Whether the model brings its own.</summary>
    public static bool IsModels(ModelSettings model) => model.Path is { } path && File.Exists(Path.Combine(path, TokenizerJson.File));

    /// <param name="alphabet">the task's; null = any text</param>
    /// <exception cref="UserException">the model's tokenizer cannot be used</exception>
    public static ITokenizer Of(ModelSettings model, string? alphabet) => IsModels(model) ? Of(model.Path!, "model.path") : alphabet is null ? OfBytes() : new CharTokenizer(alphabet);

    /// <summary>Any text, a token a byte.</summary>
    public static BytePairTokenizer OfBytes() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(ByteVocabulary.Json()), ByteVocabulary.Mask, ByteVocabulary.End);

    /// <param name="who">what names the folder</param>
    /// <exception cref="UserException">the model's tokenizer cannot be used</exception>
    public static BytePairTokenizer Of(string folder, string who) => ModelFolder.Explain(who, () =>
    {
        var spec = ModelStore.ReadSpec(folder);
        return TokenizerJson.Read(Path.Combine(folder, TokenizerJson.File), spec.MaskToken, spec.EosToken);
    });

    /// <exception cref="UserException">the chat template that is asked for is not there, or cannot be used</exception>
    public static PromptEncoder Encoder(ModelSettings model, ITokenizer tokenizer)
    {
        // Without a clock: a prompt that says the date would be another one when the run is resumed.
        if (IsModels(model)) return Encoder(model.Path!, model.Chat, tokenizer, "model.chat", clock: null);
        return model.Chat is not true ? new(tokenizer) : throw new UserException(ExitCode.Usage, "model.chat = on: a model without a tokenizer of its own has no chat template - write model.chat = auto");
    }

    /// <param name="chat">whether prompts go into the template; null = where there is one</param>
    /// <param name="who">what asks for the template</param>
    /// <param name="clock">for templates that say the date; null = they are refused</param>
    /// <exception cref="UserException">the template that is asked for is not there, or cannot be used</exception>
    public static PromptEncoder Encoder(string folder, bool? chat, ITokenizer tokenizer, string who, TimeProvider? clock)
    {
        if (chat is false) return new(tokenizer);
        var template = ModelFolder.Explain(who, () => chat is true ? ChatTemplate.Read(folder, clock) : ChatTemplate.Find(folder, clock));
        return template is null ? new(tokenizer) : new(tokenizer, turns => ModelFolder.Explain(who, () => template.Render([.. turns.Select(turn => new ChatMessage(turn.Role, turn.Content))], addGenerationPrompt: true)));
    }

    /// <summary>A corpus answer as the canvas has it. Characters fill it by themselves; tokens are fewer than characters, and what is left ends the answer again and again.</summary>
    /// <exception cref="UserException">the answer is longer than the canvas</exception>
    public static ImmutableArray<int> Answer(ITokenizer tokenizer, string text, int genLength)
    {
        var tokens = tokenizer.Encode(text);
        if (tokenizer is CharTokenizer) return tokens;
        if (tokens.Length > genLength) throw new UserException(ExitCode.Usage, $"rollout.gen-length = {genLength}: an answer of the corpus has {tokens.Length} tokens (\"{text.Trim()}\") - write a larger one");
        if (tokenizer.EndId is not { } end) throw new UserException(ExitCode.Usage, "model.path: the model's config.json names no eos_token_id, so nothing ends an answer that is shorter than rollout.gen-length");
        return [.. tokens, .. Enumerable.Repeat(end, genLength - tokens.Length)];
    }
}
