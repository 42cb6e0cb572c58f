using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Judging;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Judging;

/// <summary>Judges from keys as a pool has them, with waits that are short.</summary>
internal static class Judges
{
    public const string Key = "sk-top-secret-0123456789";

    /// <summary>Far more than anything here takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Dictionary<string, string> Keys(string url, params (string Key, string? Value)[] own)
    {
        // Those of hocon/reference.conf but for the waits.
        var keys = new Dictionary<string, string>
        {
            ["url"] = url,
            ["model"] = "judge-1",
            ["structured"] = "on",
            ["scale-min"] = "0",
            ["scale-max"] = "10",
            ["pass-mark"] = "0.5",
            ["max-reply-tokens"] = "512",
            ["retries"] = "3",
            ["attempt-seconds"] = "30",
            ["backoff-seconds"] = "0.001",
            ["longest-wait-seconds"] = "30",
            ["in-flight"] = "8",
            ["max-requests"] = "0",
            ["max-tokens"] = "0",
            ["cache-entries"] = "10000",
        };
        foreach (var (key, value) in own)
            if (value is null) keys.Remove(key);
            else keys[key] = value;
        return keys;
    }

    public static JudgeReward Of(string url, params (string Key, string? Value)[] own) => Assert.IsType<JudgeReward>(VerifierRegistry.Create("judge", Keys(url, own)));

    public static RewardRequest Request(string completion = "4", string prompt = "What is 2 + 2?", string reference = "4") => new(new RolloutId(0, 0), new Prompt(0, [], prompt, reference), completion);

    public static async Task<RewardOutcome> ScoreAsync(this JudgeReward judge, string completion = "4") =>
        await judge.ScoreAsync(Request(completion), CancellationToken.None).AsTask().WaitAsync(Patience);

    public static async Task<string> FaultAsync(this JudgeReward judge, string completion = "4") => Assert.IsType<RewardOutcome.InfraFault>(await judge.ScoreAsync(completion)).Kind;

    public static async Task<double> ValueAsync(this JudgeReward judge, string completion = "4") => Assert.IsType<RewardOutcome.Scored>(await judge.ScoreAsync(completion)).Value;

    public static async Task<string> RefusalAsync(this JudgeReward judge) =>
        (await Assert.ThrowsAsync<RewardUnavailableException>(() => judge.PrepareAsync(CancellationToken.None).WaitAsync(Patience))).Message;

    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(since.Elapsed < Patience, what);
            await Task.Delay(5);
        }
    }
}
