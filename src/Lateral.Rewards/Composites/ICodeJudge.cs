using Lateral.Core.Rewards;

namespace Lateral.Rewards.Composites;

/// <summary>What came of a completion's program.</summary>
public abstract record CodeJudgement
{
    /// <param name="Fenced">the completion has a code block</param>
    /// <param name="Parses">its program is legal; false where there is none</param>
    /// <param name="PassRate">the fraction of tests that it passes, 0 .. 1</param>
    public sealed record Judged(bool Fenced, bool Parses, double PassRate) : CodeJudgement;

    /// <summary>Nothing is known of it.</summary>
    /// <param name="Fault">why: whoever asks passes it on</param>
    public sealed record NotJudged(RewardOutcome Fault) : CodeJudgement;
}

/// <summary>Runs the programs of completions against the tests of their prompts. Thread-safe; it must honour cancellation.</summary>
public interface ICodeJudge
{
    ValueTask<CodeJudgement> JudgeAsync(RewardRequest request, CancellationToken cancellation);

    /// <summary>Proves that programs can be run, before a run begins.</summary>
    /// <exception cref="RewardUnavailableException">they cannot</exception>
    Task PrepareAsync(CancellationToken cancellation);
}
