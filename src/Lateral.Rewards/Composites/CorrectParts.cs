using Lateral.Core.Rewards;
using Lateral.Rewards.Mathematics;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Composites;

/// <summary>The parts of composite rewards that know the reference.</summary>
internal static class CorrectParts
{
    /// <summary>The tagged answer is the reference's number. Departure from d1, whose code compares strings: 1,000 is 1000.</summary>
    public static readonly Part TaggedNumber = Correct(request => FinalAnswer.Tagged(request.Completion), Gsm8kAnswer.AreEqual);

    /// <summary>The last box equals the reference as <see cref="MathAnswer"/> has it, which is more lenient about spelling than the papers' code.</summary>
    public static readonly Part Boxed = Correct(request => FinalAnswer.Boxed(request.Completion), MathAnswer.AreEqual);

    /// <summary>What the answer tags hold, or a box inside them, equals the reference.</summary>
    public static readonly Part Tagged = Correct(request => Extraction.Of("answer")(request.Completion), MathAnswer.AreEqual);

    private static Part Correct(Func<RewardRequest, string?> find, Func<string, string, bool> equal) => new(Composite.Correct, request =>
    {
        var reference = AnswerVerifiers.Reference(request);
        return reference.Length == 0 ? null : Outcomes.OneIf(find(request) is { } answer && equal(answer, reference));
    });
}
