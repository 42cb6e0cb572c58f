using System.Security.Cryptography;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using TorchSharp;

namespace Lateral.Tests.Diffusion;

/// <summary>A tiny fresh policy on disk, and samplers that run it.</summary>
internal sealed class TinyPolicy : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public TinyPolicy(ITokenizer tokenizer, ulong seed = 1, int version = 0, int maxLength = 64)
    {
        Spec = new TransformerSpec(16, 2, 2, 32, tokenizer.VocabularySize, maxLength, 1e-5, 10_000, tokenizer.MaskId, tokenizer.EndId, null);
        using var model = LladaStore.Fresh(Spec, seed, trainable: false);
        var hash = LladaStore.Save(model, _folder);
        Manifest = new(1, version, hash, "", PayloadKind.Full, new FileInfo(Path).Length, "model.safetensors");
    }

    public TransformerSpec Spec { get; }

    public PolicyManifest Manifest { get; }

    public string Path => System.IO.Path.Combine(_folder, LladaStore.WeightsFile);

    public string Folder => _folder;

    public LladaModel Load(torch.Device device) => LladaStore.Load(_folder, device, trainable: false);

    public async Task<DiffusionSampler> StartAsync(ITokenizer tokenizer, int slots, FixedShape? shape = null, ulong seed = 9, IUniforms? uniforms = null)
    {
        var sampler = new DiffusionSampler(new("cpu", slots, shape, seed), tokenizer, Load, uniforms);
        await sampler.SwapAsync(Manifest, Path);
        return sampler;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static SampleTask Task(long group, int siblings, int[] prompt, RolloutSpec spec, bool evaluation = false) =>
        new(group, [.. Enumerable.Range(0, siblings)], new Prompt(group, [.. prompt], "", ""), spec, evaluation);

    /// <summary>Everything submitted so far, by id.</summary>
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
