using System.Security.Cryptography;
using System.Text;
using Lateral.Core.Rewards;

namespace Lateral.Core.Runs;

/// <summary>Identity of a scored group's content: what the journal promises and the learner verifies before it trains.</summary>
public static class ContentHash
{
    /// <summary>SHA-256, lower-case hex, over every field of every sibling in order.</summary>
    public static string Of(ScoredGroup group)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(group.Ordinal);
            foreach (var sibling in group.Siblings) Write(writer, sibling);
        }

        return Convert.ToHexStringLower(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
    }

    private static void Write(BinaryWriter writer, ScoredTrajectory sibling)
    {
        var trajectory = sibling.Trajectory;
        writer.Write(trajectory.Id.Group);
        writer.Write(trajectory.Id.Sibling);
        Write(writer, trajectory.Prompt.AsSpan(), writer.Write);
        Write(writer, trajectory.Tokens.AsSpan(), writer.Write);
        Write(writer, trajectory.RevealStep.AsSpan(), writer.Write);
        Write(writer, trajectory.TokenLogProbs.AsSpan(), writer.Write);
        Write(writer, trajectory.SelectionLogProbs.AsSpan(), writer.Write);
        foreach (var span in trajectory.Policies)
        {
            writer.Write(span.FirstStep);
            writer.Write(span.Version);
            writer.Write(span.Hash);
        }

        // Groups of before there were orders, masked draws, surrogates, guesses and hints keep their hash.
        if (!trajectory.RevealRank.IsEmpty) Write(writer, trajectory.RevealRank.AsSpan(), writer.Write);
        if (!trajectory.MaskedDraws.IsEmpty) Write(writer, trajectory.MaskedDraws.AsSpan(), writer.Write);
        if (trajectory.Surrogate is { } surrogate)
        {
            writer.Write(surrogate.Identity);
            Write(writer, surrogate.Values.AsSpan(), writer.Write);
        }

        if (!trajectory.Given.IsEmpty)
        {
            writer.Write(nameof(trajectory.Given));
            Write(writer, trajectory.Given.AsSpan(), writer.Write);
        }

        if (!trajectory.Guesses.IsEmpty)
        {
            Write(writer, trajectory.Guesses.AsSpan(), writer.Write);
            Write(writer, sibling.GuessRewards.AsSpan(), writer.Write);
        }

        writer.Write(trajectory.Text);
        writer.Write(sibling.Reward);
    }

    private static void Write<T>(BinaryWriter writer, ReadOnlySpan<T> values, Action<T> write)
    {
        writer.Write(values.Length);
        foreach (var value in values) write(value);
    }
}
