using System.Collections.Immutable;
using Lateral.Core.Prompts;

namespace Lateral.Node.Composition;

/// <summary>A prompt's text as the tokens that the model is given: as it stands, or as a user's message in the model's chat template.</summary>
/// <param name="chat">puts a user's message into the template, the header of the answer included; null = nothing around it</param>
public sealed class PromptEncoder(ITokenizer tokenizer, Func<string, string>? chat = null)
{
    /// <exception cref="FormatException">the prompt has a character the vocabulary lacks</exception>
    public ImmutableArray<int> Encode(string prompt) => tokenizer.Encode(chat is null ? prompt : chat(prompt));
}
