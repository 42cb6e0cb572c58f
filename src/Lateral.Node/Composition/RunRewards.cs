using System.Collections.Immutable;
using Lateral.Actors;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Composition;

/// <summary>
/// The verifiers of a run by pool, and the one place that knows every kind: those of <see cref="VerifierRegistry"/>, and those that need what only the host sees. Whoever makes it disposes it, which
/// gives back devices and processes that verifiers hold.
/// </summary>
public sealed class RunRewards : IAsyncDisposable
{
    /// <summary>What makes the host's own kinds, in the order of <c>reward.kinds</c>.</summary>
    private static readonly OrderedDictionary<string, Func<VerifierKeys, bool, IReward>> Own = new(StringComparer.Ordinal)
    {
        // With company a reward depends on it by rounding.
        ["reward-model"] = (keys, deterministic) => new RewardModelReward(RewardModelSettings.Of(keys) is var settings && deterministic ? settings with { Batch = 1 } : settings),
    };

    private readonly ImmutableDictionary<string, IReward> _made;

    private RunRewards(ImmutableDictionary<string, IReward> made)
    {
        _made = made;
        ByPool = made.ToImmutableDictionary(pool => pool.Key, pool => PoisonedReward.Around(pool.Value), StringComparer.Ordinal);
    }

    public static IReadOnlyList<string> Kinds { get; } = [.. VerifierRegistry.Kinds, .. Own.Keys];

    public ImmutableDictionary<string, IReward> ByPool { get; }

    public IReward this[string pool] => ByPool[pool];

    /// <exception cref="UserException">a verifier cannot be made from its pool's keys</exception>
    public static RunRewards Of(RunSettings settings) => new(settings.Pools.ToImmutableDictionary(pool => pool.Name, pool =>
    {
        try
        {
            return Create(pool.Kind, pool.Parameters, settings.Deterministic);
        }
        catch (RewardSettingException mistake)
        {
            throw new UserException(ExitCode.Usage, $"reward.pools.{pool.Name}.{mistake.Message}", mistake);
        }
    }, StringComparer.Ordinal));

    /// <summary>A verifier of any kind; nothing is opened yet.</summary>
    /// <exception cref="RewardSettingException">an unknown kind or key, a missing key, or a value out of range</exception>
    public static IReward Create(string kind, IReadOnlyDictionary<string, string> parameters, bool deterministic)
    {
        if (!Own.TryGetValue(kind, out var make)) return VerifierRegistry.Create(kind, parameters);
        var keys = new VerifierKeys(kind, parameters);
        var reward = make(keys, deterministic);
        keys.RefuseOthers();
        return reward;
    }

    /// <summary>The devices that verifiers compute on, by what names them; a process that rewards needs libtorch where there are any.</summary>
    public static IReadOnlyList<(string Setting, string Device)> Devices(RunSettings settings) =>
        [.. settings.Pools.Where(pool => Own.ContainsKey(pool.Kind) && pool.Parameters.ContainsKey("device")).Select(pool => ($"reward.pools.{pool.Name}.device", pool.Parameters["device"]))];

    /// <summary>Whether a process with these roles asks verifiers: the learner's evaluates.</summary>
    public static bool AreAskedBy(NodeRoles roles) => roles.HasFlag(NodeRoles.Reward) || roles.HasFlag(NodeRoles.Learner);

    /// <inheritdoc cref="PrepareAsync(CancellationToken)"/>
    public async Task<IReadOnlyList<string>> PrepareAsync(NodeRoles roles, CancellationToken cancellation) => AreAskedBy(roles) ? await PrepareAsync(cancellation) : [];

    /// <summary>Lets every verifier that needs something of its machine prove that it has it, before anything is asked.</summary>
    /// <returns>what a user should know of how they work here</returns>
    /// <exception cref="UserException">one has not; says which, and how to get it</exception>
    public async Task<IReadOnlyList<string>> PrepareAsync(CancellationToken cancellation)
    {
        var notes = new List<string>();
        foreach (var (pool, reward) in _made.OrderBy(pool => pool.Key, StringComparer.Ordinal))
        {
            try
            {
                if (reward is not IPreparedReward prepared) continue;
                await prepared.PrepareAsync(cancellation);
                notes.AddRange(prepared.Notes.Select(note => $"reward.pools.{pool}: {note}"));
            }
            catch (RewardUnavailableException mistake)
            {
                throw new UserException(ExitCode.Environment, $"reward.pools.{pool}: {mistake.Message}", mistake);
            }
        }

        return notes;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var reward in _made.Values)
        {
            if (reward is IAsyncDisposable held) await held.DisposeAsync();
            else (reward as IDisposable)?.Dispose();
        }
    }
}
