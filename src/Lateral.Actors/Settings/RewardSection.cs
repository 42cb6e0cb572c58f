using System.Collections.Immutable;
using Lateral.Configuration;
using Lateral.Core.Rewards;

namespace Lateral.Actors.Settings;

/// <summary><c>reward {}</c>: pools by name, each taking over <c>reward.defaults</c> and <c>reward.kinds.KIND</c> where it does not say otherwise.</summary>
internal static class RewardSection
{
    public static ImmutableArray<RewardPoolSpec> Read(ConfigReader reward)
    {
        var (defaults, kinds) = (reward.Section("defaults"), new Catalogue(reward.Section("kinds")));
        _ = ReadPool("defaults", "", defaults, defaults);
        var pools = reward.Sections("pools").Select(pool => ReadPool(pool.Key, pool.Value, defaults, kinds)).ToImmutableArray();
        if (pools.IsEmpty) reward.Missing("pools", $"is empty: nothing would be rewarded - write pools.answer {{ kind = {kinds.Names.First()} }}");
        foreach (var pool in pools.Where(pool => pool.Name.Contains('/', StringComparison.Ordinal)))
            reward.Error("pools", $"has a pool named \"{pool.Name}\": '/' separates a pool from its parts in metrics");
        if (pools.Length > 0 && pools.All(pool => pool.OnFailure == PoolFailureAnswer.Skip))
            reward.Error("pools", $"may not all have on-failure = skip: where all fail nothing values a group - write on-failure = retry for {pools[0].Name}");
        return pools;
    }

    /// <summary>Whether a first batch whose rewards are all equal ends the run.</summary>
    public static bool RefusesConstant(ConfigReader reward) => reward.OneOf("on-constant", ["stop", "go-on"]) == "stop";

    private static RewardPoolSpec ReadPool(string name, ConfigReader pool, ConfigReader defaults, Catalogue kinds)
    {
        pool.SuggestFrom(defaults.Reference);
        var kind = kinds.Named(pool, "kind");
        return ReadPool(name, kind ?? "", pool, defaults) with { Parameters = kinds.Choose(kind, pool) };
    }

    private static RewardPoolSpec ReadPool(string name, string kind, ConfigReader pool, ConfigReader defaults)
    {
        return new RewardPoolSpec(
            name, kind, From("workers").Int("workers", 1, 4096), From("weight").Double("weight"),
            From("timeout").Duration("timeout", TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)), From("fault-reward").Double("fault-reward"))
        {
            OnFailure = From("on-failure").OneOf("on-failure", ["retry", "quarantine", "skip"]) switch { "skip" => PoolFailureAnswer.Skip, "quarantine" => PoolFailureAnswer.Quarantine, _ => PoolFailureAnswer.Retry },
        };

        ConfigReader From(string key) => pool.Has(key) ? pool : defaults;
    }
}
