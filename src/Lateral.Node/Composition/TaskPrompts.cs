using Lateral.Core.Prompts;

namespace Lateral.Node.Composition;

/// <summary>A generated task as token prompts; the ordinal is the index.</summary>
public sealed class TaskPrompts(ITask task, ITokenizer tokenizer) : IPromptSource
{
    public int HeldOutCount => task.HeldOutCount;

    public Prompt Train(long ordinal) => Of(ordinal, task.Train(ordinal), tokenizer);

    public Prompt HeldOut(int index) => Of(index, task.HeldOut(index), tokenizer);

    /// <exception cref="FormatException">the prompt has a character the vocabulary lacks</exception>
    public static Prompt Of(long index, TaskItem item, ITokenizer tokenizer) => new(index, tokenizer.Encode(item.Prompt), item.Prompt, item.Reference);
}
