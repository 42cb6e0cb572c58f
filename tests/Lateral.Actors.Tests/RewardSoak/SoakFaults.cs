using System.Collections.Concurrent;
using System.Globalization;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Tests.Sandbox;

namespace Lateral.Actors.Tests.RewardSoak;

/// <summary>What is done to the infrastructure, by rollout and attempt, so that a run can be told from its seed.</summary>
internal static class SoakFaults
{
    /// <summary>Of the attempts, those that something is done to.</summary>
    private const double Share = 0.05;

    /// <summary>Of the groups, those whose text cannot be scored however often it is tried.</summary>
    private const int PoisonOneIn = 40;

    public static bool Strikes(string pool, RolloutId id, int attempt) => Uniform($"{pool}/{id}/{attempt}") < Share;

    public static bool IsPoison(long group) => (ulong)Number($"poison/{group}") % PoisonOneIn == 0;

    /// <summary>What the rollout's program, its judged text and its exact text are worth.</summary>
    public static (double Program, double Judged, double Exact) Expected(RolloutId id) =>
        ((ulong)Number($"program/{id}") % 2, (ulong)Number($"judged/{id}") % 11 / 10.0, (ulong)Number($"exact/{id}") % 2);

    private static double Uniform(string key) => (Number(key) >>> 11) * (1.0 / (1L << 53));

    private static long Number(string key) => long.Parse(TestEngines.Hash(key).AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>A reward that is asked in its own words, and whose answers are counted as the pool sees them.</summary>
/// <param name="word">the request as the reward understands it; the number counts the tries of one rollout, from 0</param>
internal sealed class SoakReward(IReward reward, Func<RewardRequest, int, RewardRequest> word) : IReward
{
    private readonly ConcurrentDictionary<RolloutId, int> _attempts = new();
    private int _asked, _faults;

    public int Asked => Volatile.Read(ref _asked);

    public int Faults => Volatile.Read(ref _faults);

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _asked);
        var attempt = _attempts.AddOrUpdate(request.Id, 0, (_, before) => before + 1);
        try
        {
            var outcome = await reward.ScoreAsync(word(request, attempt), cancellation);
            if (outcome is RewardOutcome.InfraFault) Interlocked.Increment(ref _faults);
            return outcome;
        }
        catch (Exception)
        {
            // The pool makes a fault of it.
            Interlocked.Increment(ref _faults);
            throw;
        }
    }
}

/// <summary>Kills interpreters of this process' sandboxes from outside, with SIGKILL.</summary>
internal static class SandboxKiller
{
    /// <summary>Tests with sandboxes in this process: one after the other, because all interpreters are killed.</summary>
    public const string Victims = "sandboxes of this process";

    /// <returns>how many were killed</returns>
    public static int KillInterpreters() => Descendants.All().Where(process => process.Name.StartsWith("python3", StringComparison.Ordinal)).Count(process => Descendants.Kill(process.Id));
}
