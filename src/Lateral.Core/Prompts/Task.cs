using System.Collections.Immutable;

namespace Lateral.Core.Prompts;

/// <summary>What somebody said before the answer. Example: <c>system, "Be brief."</c>.</summary>
/// <param name="Role">as chat templates have it: system, user or assistant</param>
public sealed record Turn(string Role, string Content);

/// <summary>A task instance as text. Example (sort5): <c>prompt "31415", answer "11345", reference "31415"</c>.</summary>
/// <param name="Answer">a completion to learn from in the supervised corpus, empty where none is known; verifiers never see it</param>
/// <param name="Reference">what the verifier needs to judge a completion</param>
public sealed record TaskItem(string Prompt, string Answer, string Reference)
{
    /// <summary>What the model is told; null = the prompt as it stands.</summary>
    public string? Told { get; init; }

    /// <summary>A conversation that the prompt stands for; empty = one user's message.</summary>
    public ImmutableArray<Turn> Turns { get; init; } = [];
}

/// <summary>
/// A task, generated or of files. Items are pure functions of (seed given at construction, index); held-out items never occur in
/// training or in the corpus.
/// </summary>
public interface ITask
{
    /// <summary>Every character that prompts and completions may contain, in token-id order; null = any text.</summary>
    string? Alphabet { get; }

    /// <summary>Tokens a completion has room for; without an alphabet the least.</summary>
    int GenLength { get; }

    TaskItem Train(long ordinal);

    /// <summary>Example <paramref name="index"/> of the supervised corpus, bad habits included.</summary>
    TaskItem Corpus(long index);

    int HeldOutCount { get; }

    /// <summary>What completions are told apart by when they vote; null where a completion has no answer, and then it does not vote.</summary>
    string? FinalAnswer(string completion) => completion;

    TaskItem HeldOut(int index);
}
