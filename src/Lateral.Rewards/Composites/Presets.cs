using Lateral.Core.Rewards;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Composites;

/// <summary>The rewards of the papers, a line each; their published weights stand in hocon/reference.conf.</summary>
internal static class Presets
{
    /// <summary>d1's three format rewards alone.</summary>
    public static IReward Tags(VerifierKeys keys) => Composite.Of(keys, TagParts.Tags, TagParts.Soft, TagParts.Strict);

    /// <summary>1 for digits and nothing else between answer tags, else 0.</summary>
    public static IReward Integer(VerifierKeys _) => new Verifier(request => TagParts.Integer.Score(request) is { } score ? Outcomes.Scored(score, ("integer", score)) : Outcomes.UnreadableReference);

    /// <summary>GSM8K of d1 (arXiv 2504.12216), wd1 and SPG (arXiv 2510.09541): up to 4 in all.</summary>
    public static IReward D1Gsm8k(VerifierKeys keys) => Composite.Of(keys, TagParts.Tags, TagParts.Soft, TagParts.Strict, TagParts.Integer, CorrectParts.TaggedNumber);

    /// <summary>MATH of d1 and SPG: up to 2.5 in all.</summary>
    public static IReward D1Math(VerifierKeys keys) => Composite.Of(keys, TagParts.BoxInTags, CorrectParts.Boxed);

    /// <summary>Countdown of d1 and SPG.</summary>
    public static IReward Countdown(VerifierKeys keys)
    {
        var rightNumbers = keys.Fraction("right-numbers");
        return new Verifier(request => InTags.Countdown(request, rightNumbers));
    }

    /// <summary>Sudoku of d1 and SPG.</summary>
    public static IReward Sudoku(VerifierKeys _) => new Verifier(InTags.SudokuCells);

    /// <summary>Sudoku by cells, or all or nothing.</summary>
    public static IReward SudokuTags(VerifierKeys keys) => new Verifier(keys.Switch("exact") ? InTags.SudokuExact : InTags.SudokuCells);

    /// <summary>AGRPO: for thinking in tags, for answering in tags, and for being right; up to 4 in all. Where its code looks for more than a pair of tags, this does not.</summary>
    public static IReward Agrpo(VerifierKeys keys) => Composite.Of(keys, TagParts.Pair("think", "think-tags"), TagParts.Pair("answer", "answer-tags"), CorrectParts.Tagged);
}
