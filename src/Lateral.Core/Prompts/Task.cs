namespace Lateral.Core.Prompts;

/// <summary>A task instance as text. Example (sort5): <c>prompt "31415", answer "11345", reference "31415"</c>.</summary>
/// <param name="Answer">a completion to learn from in the supervised corpus; verifiers never see it</param>
/// <param name="Reference">what the verifier needs to judge a completion</param>
public sealed record TaskItem(string Prompt, string Answer, string Reference);

/// <summary>
/// A generated task. Items are pure functions of (seed given at construction, index); held-out items never occur in
/// training or in the corpus.
/// </summary>
public interface ITask
{
    /// <summary>Every character that prompts and completions may contain, in token-id order.</summary>
    string Alphabet { get; }

    /// <summary>Tokens a completion has room for.</summary>
    int GenLength { get; }

    TaskItem Train(long ordinal);

    /// <summary>Example <paramref name="index"/> of the supervised corpus, bad habits included.</summary>
    TaskItem Corpus(long index);

    int HeldOutCount { get; }

    /// <summary>What completions are told apart by when they vote; null where a completion has no answer, and then it does not vote.</summary>
    string? FinalAnswer(string completion) => completion;

    TaskItem HeldOut(int index);
}
