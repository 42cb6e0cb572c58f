namespace Lateral.Rewards.Judging;

/// <summary>What came of asking a judge once. Exactly one of verdict and fault is there.</summary>
/// <param name="Again">whether asking again may help</param>
/// <param name="Wait">how long the endpoint asks to wait before that; null = it does not say</param>
internal sealed record JudgeAttempt(Verdict? Verdict, string? Fault, bool Again = false, TimeSpan? Wait = null)
{
    public static JudgeAttempt Answered(Verdict verdict) => new(verdict, null);

    public static JudgeAttempt Retry(string fault, TimeSpan? wait = null) => new(null, fault, true, wait);

    public static JudgeAttempt Refused(string fault) => new(null, fault);
}
