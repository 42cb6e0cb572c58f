using System.Collections.Immutable;

namespace Lateral.Core.Prompts;

/// <summary>The files that a run trains on, <c>data {}</c>; every default, unit and range stands in hocon/reference.conf.</summary>
/// <param name="Eval">rows to evaluate on; null = a part of <paramref name="Train"/></param>
/// <param name="Format">one of <see cref="Formats"/>: what the columns are and what becomes of them</param>
/// <param name="Template">one of <see cref="Templates"/>, or a text with <c>{prompt}</c></param>
/// <param name="HeldOut">share of the training file's prompts that are evaluated on, where there is no other file</param>
/// <param name="MaxBadRows">share of the rows that may be skipped because they are bad; null = the first bad row ends the run</param>
public sealed record DataSettings(
    string Train, string? Eval, string Format, DataColumns Columns, string Template, double HeldOut, bool Shuffle,
    int MinPromptTokens, int MaxPromptTokens, double? MaxBadRows)
{
    /// <summary>The place of a row's own prompt in a template.</summary>
    public const string PromptMark = "{prompt}";

    public static ImmutableArray<string> Formats { get; } = ["rows", "gsm8k", "math", "humaneval", "mbpp", "sudoku", "countdown", "verl"];

    /// <summary><c>own</c> is the format's, <c>plain</c> the prompt as it stands.</summary>
    public static ImmutableArray<string> Templates { get; } = ["own", "plain", "tags", "boxed", "boxed-first", "code-block"];

    /// <summary>SHA-256 of the files' bytes, once they have been read: what a resumed run and the other nodes have to have, too.</summary>
    public string? Sha256 { get; init; }
}

/// <summary>Where a row has what, against the format's own names; a dot leads into an object: <c>reward_model.ground_truth</c>.</summary>
public sealed record DataColumns(string? Prompt, string? Answer, string? Reference);
