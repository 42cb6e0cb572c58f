using System.Security.Cryptography;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using TorchSharp;

namespace Lateral.Tests.Diffusion;

/// <summary>A policy on disk, and samplers that run it.</summary>
internal sealed class TinyPolicy : IDisposable
{
    public TinyPolicy(TransformerModel model, int version = 0)
    {
        var hash = ModelStore.Save(model, Folder);
        Manifest = new(1, version, hash, "", PayloadKind.Full, new FileInfo(Path).Length, ModelStore.WeightsFile);
    }

    /// <summary>The name of its head among its parameters.</summary>
    public const string Head = "model.transformer.ff_out.weight";

    public string Folder { get; } = Directory.CreateTempSubdirectory().FullName;

    public PolicyManifest Manifest { get; }

    public string Path => System.IO.Path.Combine(Folder, ModelStore.WeightsFile);

    /// <summary>A fresh policy of 2 layers whose distributions are far from uniform.</summary>
    public static TinyPolicy Fresh(ITokenizer tokenizer, ulong seed = 1, int version = 0)
    {
        using var model = FreshModel(tokenizer, seed);
        return new(model, version);
    }

    /// <param name="unmasking">with an unmasking policy that is no longer indifferent</param>
    public static TransformerModel FreshModel(ITokenizer tokenizer, ulong seed, bool unmasking = false)
    {
        using var scope = torch.NewDisposeScope();
        var spec = new TransformerSpec(16, 2, 2, 32, tokenizer.VocabularySize, 64, 1e-5, 10_000, tokenizer.MaskId, tokenizer.EndId, null) { UnmaskingPolicy = unmasking };
        var model = ModelStore.Fresh(spec, seed);
        using var quiet = torch.no_grad();
        model.Parameters["model.transformer.ff_out.weight"].mul_(3f);
        if (unmasking) model.Parameters["unmasking_policy.score.weight"].copy_(torch.tensor(Enumerable.Range(0, 16).Select(i => MathF.Sin((i * i) + (float)seed)).ToArray(), 1, 16));
        return model;
    }

    public TransformerModel Load(torch.Device device) => ModelStore.Load(Folder, device, trainable: false);

    /// <summary>What a learner with these weights publishes.</summary>
    public double Canary()
    {
        using var model = Load(torch.CPU);
        return PolicyCanary.LogProb(model);
    }

    public async Task<DiffusionSampler> StartAsync(ITokenizer tokenizer, int slots, FixedShape? shape = null, IUniforms? uniforms = null)
    {
        var sampler = new DiffusionSampler(new("cpu", slots, shape, Seed: 9, CanaryLimit: 1e-4), tokenizer, Load, uniforms);
        await sampler.SwapAsync(Manifest, Path);
        return sampler;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public static SampleTask Task(long group, int siblings, int[] prompt, RolloutSpec spec, bool evaluation = false) =>
        new(group, [.. Enumerable.Range(0, siblings)], new Prompt(group, [.. prompt], "", ""), spec, evaluation);

    /// <summary>Three rollouts of each of three prompts, of one, two and three tokens.</summary>
    /// <param name="alone">in fixed shapes</param>
    public static async Task<Trajectory[]> SampleAsync(TransformerModel model, ITokenizer tokenizer, RolloutSpec spec, bool alone = false)
    {
        using var policy = new TinyPolicy(model);
        await using var sampler = await policy.StartAsync(tokenizer, 5, alone ? new FixedShape(3 + spec.GenLength, spec.BlockLength) : null);
        for (var group = 0; group < 3; group++) sampler.Submit(Task(group, 3, [.. Enumerable.Range(0, 1 + group)], spec));
        return [.. (await CollectAsync(sampler, 9)).Values];
    }

    /// <summary>The next <paramref name="count"/> finished rollouts, by id.</summary>
    public static async Task<SortedDictionary<RolloutId, Trajectory>> CollectAsync(DiffusionSampler sampler, int count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var finished = new SortedDictionary<RolloutId, Trajectory>();
        while (finished.Count < count)
        {
            foreach (var trajectory in await sampler.NextFinishedAsync(deadline.Token)) finished.Add(trajectory.Id, trajectory);
        }

        return finished;
    }

    public static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
