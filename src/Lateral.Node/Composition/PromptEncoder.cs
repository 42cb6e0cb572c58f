using System.Collections.Immutable;
using Lateral.Core.Prompts;

namespace Lateral.Node.Composition;

/// <summary>A prompt as the tokens that the model is given: as it stands, or in the model's chat template.</summary>
/// <param name="chat">puts a conversation into the template, the header of the answer included; null = nothing around it</param>
public sealed class PromptEncoder(ITokenizer tokenizer, Func<IReadOnlyList<Turn>, string>? chat = null)
{
    /// <summary>A user's message.</summary>
    /// <exception cref="FormatException">the prompt has a character the vocabulary lacks</exception>
    public ImmutableArray<int> Encode(string prompt) => tokenizer.Encode(chat is null ? prompt : chat([new("user", prompt)]));

    /// <inheritdoc cref="Encode(string)"/>
    public ImmutableArray<int> Encode(TaskItem item) => chat is not null && !item.Turns.IsEmpty ? tokenizer.Encode(chat(item.Turns)) : Encode(item.Told ?? item.Prompt);
}
