namespace Lateral.Rewards.Data;

/// <summary>What became of the rows of a data set.</summary>
/// <remarks>Invariant: rows = bad + too short + too long + held back + held out + train.</remarks>
/// <param name="Rows">of both files</param>
/// <param name="Bad">skipped because they could not be read</param>
/// <param name="TooShort">prompts below <c>min-prompt-tokens</c></param>
/// <param name="TooLong">prompts above <c>max-prompt-tokens</c></param>
/// <param name="HeldBack">of the training file, because they are evaluated on</param>
/// <param name="Answers">of those to train on, with an answer that fits <c>rollout.gen-length</c></param>
public sealed record DataSetCounts(int Rows, int Bad, int TooShort, int TooLong, int HeldBack, int HeldOut, int Train, int Answers)
{
    /// <summary>Example: <c>8,792 rows: 7,473 to train on (7,470 with an answer that fits), 1,319 held out</c>; what was left out follows where there is any.</summary>
    public override string ToString()
    {
        (int Count, string What)[] left = [(Bad, "bad"), (TooShort, "with too short a prompt"), (TooLong, "with too long a prompt"), (HeldBack, "left out of training because they are held out")];
        return FormattableString.Invariant($"{Rows:N0} rows: {Train:N0} to train on ({Answers:N0} with an answer that fits), {HeldOut:N0} held out")
            + string.Concat(left.Where(part => part.Count > 0).Select(part => FormattableString.Invariant($", {part.Count:N0} {part.What}")));
    }
}
