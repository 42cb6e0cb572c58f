namespace Lateral.Rewards.Code;

/// <summary>What came of running a completion's program against its problem's tests.</summary>
internal abstract record CodeJudgement
{
    private CodeJudgement()
    {
    }

    /// <param name="Syntax">the program can be parsed; where it cannot, no test has run</param>
    /// <param name="Passed">tests that hold, 0 .. <paramref name="Total"/></param>
    /// <param name="Total">the problem's assertions, at least 1</param>
    /// <param name="Trusted">every value was compared here; else Python decided, in a sandbox without the program</param>
    public sealed record Judged(bool Syntax, int Passed, int Total, bool Trusted) : CodeJudgement
    {
        public double Rate => (double)Passed / Total;
    }

    /// <summary>The program went over a limit: <c>timeout</c>, <c>out-of-memory</c> or <c>output-limit</c>.</summary>
    public sealed record OverLimit(string Kind) : CodeJudgement;

    /// <summary>Nothing is known of the program.</summary>
    public sealed record Fault(string Cause) : CodeJudgement;
}
