using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Rollouts of every family meet the weights that sampled them, with and without an adapter: blocks that see only the past, answers that are read one position before, experts.</summary>
public sealed class FamilyLagZeroTests
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(6, 3, 4, .8, "max-prob", StopAtEnd: true);

    [Theory]
    [InlineData("Dream", "trajectory", false)]
    [InlineData("Dream", "elbo", true)]
    [InlineData("sdar", "trajectory", true)]
    [InlineData("sdar", "elbo", false)]
    [InlineData("lladamoe", "trajectory", true)]
    [InlineData("llada2_moe", "trajectory", true)]
    [InlineData("llada2_moe", "elbo", false)]
    public async Task Ratio_must_be_one(string family, string name, bool adapter)
    {
        using var model = ModelStore.Fresh(SpecOf(family), 4, trainable: !adapter);
        if (adapter)
        {
            model.Adapter = LoraAdapter.Fresh(model.Spec, LoraSettings.Of(new(2, 4, false, []), model.Spec, null), 3);
            using var quiet = no_grad();
            // B begins at zero, and an adapter that adds nothing would prove nothing.
            foreach (var (parameter, value) in model.Policy.Where(pair => pair.Key.Contains("lora_B", StringComparison.Ordinal)).Select(pair => (pair.Value, rand(pair.Value.shape)))) parameter.copy_(value);
        }

        using var merged = model.Adapter is null ? null : Merged(model);
        var (likelihood, rollouts) = await SampleAsync(merged ?? model, name);
        var table = new UnitTable();
        foreach (var (i, trajectory) in rollouts.Index()) table.Add(i, trajectory, 1 - (i % 3), likelihood.Plan(trajectory, Scoring.Key()), 0, i / 3);
        var log = new UnitLog();
        using (var scope = NewDisposeScope())
            new GradientPass(model, likelihood, new Uncorrected(), Spec.Temperature).Accumulate(MicroBatch.Cut(table.Views, 60, Tokenizer.MaskId).ToList(), table.Units, table.Units.Count, log);
        Assert.True(log.Count >= rollouts.Length);
        // A merged adapter rounds otherwise than one beside the weights.
        Assert.All(log.ToImmutable(), scored => Assert.InRange(scored.LogRatio, -3e-5, 3e-5));
        Assert.Contains(model.Policy.Values, parameter => parameter.grad is not null && parameter.grad.abs().max().item<float>() > 0);
    }

    private static TransformerSpec SpecOf(string family)
    {
        var spec = new TransformerSpec(16, 2, 2, 32, Tokenizer.VocabularySize, 64, 1e-5, 10_000, Tokenizer.MaskId, Tokenizer.EndId, null) { Family = family };
        var experts = new ExpertSpec(4, 2, 8, [], 0);
        return (family switch
        {
            "Dream" => spec with { Shifted = true, AttentionBias = true, RotaryRounded = true, KeyHeads = 1 },
            "sdar" => spec with { AttentionBlock = 4, HeadNorm = true, RotaryRounded = true, NormRoundedLast = true, KeyHeads = 1 },
            "lladamoe" => spec with { HeadNorm = true, Experts = experts },
            _ => spec with { AttentionBlock = 4, HeadNorm = true, FusedAttention = true, RotaryWidth = 4, Experts = experts with { SharedWidth = 8, Sigmoid = true, Renormalised = true, HasBias = true, Scale = 2.5, Groups = 2 } },
        }).Checked();
    }

    private static TransformerModel Merged(TransformerModel model)
    {
        using var file = new TinyPolicy(model);
        var whole = Load(file, CPU);
        using (no_grad())
        {
            foreach (var (name, value) in whole.Parameters)
            {
                if (model.Adapter!.Of(name) is { } addition) value.copy_(addition.Merged(value));
            }
        }

        return whole;
    }

    /// <summary>Configurations of models with experts do not name the mask token.</summary>
    private static TransformerModel Load(TinyPolicy policy, Device device) => ModelStore.Load(policy.Folder, device, trainable: false, choices: new(MaskToken: Tokenizer.MaskId));

    private static async Task<(ILikelihood Likelihood, Trajectory[] Rollouts)> SampleAsync(TransformerModel model, string name)
    {
        var method = Methods.Likelihood(name);
        var unit = LikelihoodRules.ByName(name).Units.First();
        using var policy = new TinyPolicy(model);
        var settings = new SamplerSettings("cpu", 5, null, Seed: 1, CanaryLimit: 1e-4) { Surrogate = LikelihoodRules.ByName(name).Recorded ? null : new(method, unit, Spec.Temperature, 100) };
        await using var sampler = new DiffusionSampler(settings, Tokenizer, device => Load(policy, device));
        await sampler.SwapAsync(policy.Manifest, policy.Path);
        // Prompts of one, two and three tokens: canvases of unlike length, and blocks that begin anywhere in the model's own.
        for (var group = 0; group < 3; group++) sampler.Submit(TinyPolicy.Task(group, 3, [.. Enumerable.Range(0, 1 + group)], Spec));
        var finished = await TinyPolicy.CollectAsync(sampler, 9);
        return (LikelihoodCatalogue.Create(method, unit, model.Spec.EosToken, model.Spec.MaxLength), [.. finished.Values]);
    }
}
