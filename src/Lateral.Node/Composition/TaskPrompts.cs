using Lateral.Core.Prompts;

namespace Lateral.Node.Composition;

/// <summary>A task as token prompts.</summary>
/// <param name="first">the training prompt of group 0</param>
public sealed class TaskPrompts(ITask task, ITokenizer tokenizer, PromptEncoder encoder, long first) : IPromptSource
{
    public int HeldOutCount => task.HeldOutCount;

    public Prompt Train(long ordinal)
    {
        var item = task.Train(first + ordinal);
        // Of training prompts only: nothing else is hinted, and a file's answers need not be in the vocabulary.
        return Of(first + ordinal, item, encoder) with { Solution = tokenizer.Encode(item.Answer) };
    }

    public Prompt HeldOut(int index) => Of(index, task.HeldOut(index), encoder);

    /// <exception cref="FormatException">the prompt has a character the vocabulary lacks</exception>
    public static Prompt Of(long index, TaskItem item, PromptEncoder encoder) => new(index, encoder.Encode(item), item.Prompt, item.Reference);
}
