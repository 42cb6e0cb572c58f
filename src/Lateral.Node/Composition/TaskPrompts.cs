using Lateral.Core.Prompts;

namespace Lateral.Node.Composition;

/// <summary>A generated task as token prompts.</summary>
/// <param name="first">the training prompt of group 0</param>
public sealed class TaskPrompts(ITask task, ITokenizer tokenizer, long first) : IPromptSource
{
    public int HeldOutCount => task.HeldOutCount;

    public Prompt Train(long ordinal) => Of(first + ordinal, task.Train(first + ordinal), tokenizer);

    public Prompt HeldOut(int index) => Of(index, task.HeldOut(index), tokenizer);

    /// <exception cref="FormatException">the prompt has a character the vocabulary lacks</exception>
    public static Prompt Of(long index, TaskItem item, ITokenizer tokenizer) => new(index, tokenizer.Encode(item.Prompt), item.Prompt, item.Reference);
}
