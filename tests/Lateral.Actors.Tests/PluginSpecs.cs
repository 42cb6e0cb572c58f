using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>A plugin's keys behave like everybody's: defaults, overrides, unknown keys, ranges with a place, and an explanation.</summary>
public sealed class PluginSpecs
{
    private const string ClerkText =
        """
        # Share of the answers that a second clerk reads, 0 .. 1.
        second-look = 0.25

        # Where the clerk answers.
        where = "http://localhost:8000"

        # Whether a tie counts as right.
        ties = off
        """;

    private static readonly SettingsPlugin Clerk = new("reward.kinds", "clerk", ClerkText, use =>
        double.Parse(use.Values["second-look"], System.Globalization.CultureInfo.InvariantCulture) <= 1
            ? []
            : [new SettingMistake($"{use.Path}.second-look", $"{use.Path}.second-look = {use.Values["second-look"]}: must be 0 to 1")]);

    private static readonly SettingsPlugin Transport = new("transports", "http", "# Simultaneous downloads of a node, 1 .. 64.\nparallel = 4", _ => []);

    private static string Quickstart => Path.Combine(SettingsSpecs.FindHocon(), "quickstart.conf");

    [Fact]
    public void Pool_must_take_its_kind_s_keys_and_override_them()
    {
        var settings = Load("reward.pools.a.kind = clerk", "reward.pools.b { kind = clerk, second-look = 50%, ties = on, weight = 2 }").Settings;
        Assert.Equal(["second-look=0.25", "ties=off", "where=http://localhost:8000"], Keys(settings, "a"));
        Assert.Equal(["second-look=0.5", "ties=on", "where=http://localhost:8000"], Keys(settings, "b"));
        Assert.Equal(2, settings.Pools.Single(pool => pool.Name == "b").Weight);
        Assert.Equal(["second-look=0.75", "ties=off", "where=http://localhost:8000"], Keys(Load("reward.kinds.clerk.second-look = 0.75", "reward.pools.a.kind = clerk").Settings, "a"));
    }

    [Theory]
    [InlineData("reward.pools.a { kind = clerk, second-lok = 1 }", "--set:1:32  unknown key reward.pools.a.second-lok - did you mean reward.pools.a.second-look?")]
    [InlineData("reward.kinds.clerk.wher = x", "--set:1:1  unknown key reward.kinds.clerk.wher - did you mean reward.kinds.clerk.where?")]
    [InlineData("reward.pools.answer.second-look = 1", "--set:1:1  unknown key reward.pools.answer.second-look - did you mean reward.kinds.clerk.second-look?")]
    [InlineData("reward.pools.a { kind = clerk, second-look = much }", "--set:1:46  reward.pools.a.second-look must be a number, got \"much\" - write second-look = 0.25")]
    [InlineData("reward.pools.a { kind = clerk, ties = maybe }", "--set:1:39  reward.pools.a.ties must be on or off, got \"maybe\" - write ties = off")]
    [InlineData("reward.pools.a { kind = clerk, second-look = 2 }", "--set:1:46  reward.pools.a.second-look = 2: must be 0 to 1")]
    [InlineData("reward.pools.a.kind = clrk", "--set:1:23  reward.pools.a.kind must be one of {kinds}, clerk, got \"clrk\" - did you mean clerk?")]
    [InlineData("transports.http.paralel = 4", "--set:1:1  unknown key transports.http.paralel - did you mean transports.http.parallel?")]
    [InlineData("reward.kinds.jury { x = 1 }", "--set:1:1  unknown key reward.kinds.jury")]
    public void Mistake_in_a_plugin_s_keys_must_have_its_place(string set, string message)
    {
        var error = Assert.Throws<ConfigException>(() => Load(set));
        Assert.StartsWith(message.Replace("{kinds}", SettingsSpecs.RewardKinds, StringComparison.Ordinal), Assert.Single(error.Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Range_that_the_catalogue_breaks_must_point_at_the_catalogue()
    {
        var error = Assert.Throws<ConfigException>(() => Load("reward.pools.a.kind = clerk", "reward.kinds.clerk.second-look = 3"));
        Assert.Equal("--set:2:34  reward.pools.a.second-look = 3: must be 0 to 1", Assert.Single(error.Errors).ToString());
    }

    [Fact]
    public void Section_of_a_plugin_s_own_must_reach_the_settings()
    {
        Assert.Equal("4", Load().Settings.Plugins["transports.http"]["parallel"]);
        Assert.Equal("8", Load("transports.http.parallel = 8").Settings.Plugins["transports.http"]["parallel"]);
        Assert.Empty(RunSettingsLoader.Load([Quickstart], []).Settings.Plugins);
    }

    [Fact]
    public void Plugin_s_keys_must_be_explained()
    {
        var guide = RunSettingsLoader.Guide([Clerk, Transport]);
        var key = Assert.Single(guide.Find("reward.kinds.clerk.second-look"));
        Assert.Equal(("Share of the answers that a second clerk reads, 0 .. 1.", "0.25", "plugin reward.kinds.clerk:2:1"), (key.Comment, key.Default, key.Origin.ToString()));
        Assert.Equal("Where the clerk answers.", Assert.Single(guide.Find("reward.pools.any.where")).Comment);
        Assert.Equal(["reward.kinds.clerk.second-look"], guide.Nearest("reward.kinds.clerk.second-lok"));
        Assert.Equal("What a rollout is worth.", Assert.Single(guide.Find("reward")).Comment);
    }

    private static IEnumerable<string> Keys(RunSettings settings, string pool) => settings.Pools.Single(p => p.Name == pool).Parameters.Select(pair => $"{pair.Key}={pair.Value}");

    private static LoadedSettings Load(params string[] sets) => RunSettingsLoader.Load([Quickstart], sets, null, [Clerk, Transport]);
}
