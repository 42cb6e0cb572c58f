using Lateral.Actors.Settings;
using Lateral.Core.Learning;
using Lateral.Node.Composition;

namespace Lateral.Node.Tests;

/// <summary>Every file of hocon/algorithms is a configuration that a run can begin with, and the docs have it.</summary>
public sealed class PresetTests
{
    public static TheoryData<string> Presets() => [.. Directory.EnumerateFiles(Path.GetDirectoryName(Fixtures.Hocon("algorithms/espo.conf"))!, "*.conf").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Preset_must_lie_over_the_quickstart_and_stand_in_the_docs(string name)
    {
        var settings = RunSettingsLoader.Load([Fixtures.Hocon("quickstart.conf"), Fixtures.Hocon($"algorithms/{name}.conf")], [], null, ShippedPlugins.All).Settings;
        // A likelihood that nobody records needs samplers that compute it, and an objective without a ratio needs nothing.
        var (likelihood, correction) = (LikelihoodRules.ByName(settings.Learner.Likelihood.Name), CorrectionRules.ByName(settings.Learner.Correction.Name));
        Assert.Equal(!likelihood.Recorded && correction.HasRatio, Lateral.Diffusion.Sampling.SurrogateSettings.For(settings.Learner, 1) is not null);
        if (!correction.HasRatio && !correction.Preference && correction.Name == "none" && name != "grpo-uncorrected") Assert.InRange(settings.MaxStaleness, 0, 1);
        var docs = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Fixtures.Hocon("quickstart.conf"))!, "..", "docs", "algorithms.md"));
        Assert.Contains($"| `{name}` |", docs, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sft", "masked")]
    [InlineData("block-sft", "block")]
    [InlineData("dot", "dot")]
    [InlineData("dot-mp", "dot-mp")]
    public void Supervised_preset_must_train_by_its_objective_and_nothing_after_it(string name, string objective)
    {
        foreach (var run in new[] { "quickstart.conf", "tasks/multiply.conf" })
        {
            var settings = RunSettingsLoader.Load([Fixtures.Hocon(run), Fixtures.Hocon($"algorithms/{name}.conf")], [], null, ShippedPlugins.All).Settings;
            Assert.Equal((0, objective), (settings.Steps, settings.Warmup.Objective.Name));
            // Thoughts are denoised together where the objective noises them together.
            if (name == "dot") Assert.Equal(1, settings.Rollout.Spec.Blocks);
        }

        var repeated = RunSettingsLoader.Load([Fixtures.Hocon("quickstart.conf"), Fixtures.Hocon($"algorithms/{name}.conf")], ["run.steps = 3"], null, ShippedPlugins.All).Settings;
        Assert.False(repeated.SupervisedOnly);
    }

    [Fact]
    public void Every_method_must_stand_in_the_docs()
    {
        var docs = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Fixtures.Hocon("quickstart.conf"))!, "..", "docs", "algorithms.md"));
        foreach (var name in LikelihoodRules.Names.Concat(CorrectionRules.Names).Concat(Advantages.Names).Concat(Core.Rollouts.RevealRules.Names).Concat(SupervisedRules.Names))
            Assert.Contains($"`{name}`", docs, StringComparison.Ordinal);
    }
}
