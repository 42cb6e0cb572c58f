using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tokens;

namespace Lateral.Benchmarks.Engines;

/// <summary>A model and the rollouts it denoises: groups of siblings, a prompt per group, every rollout of one length and step count.</summary>
internal sealed record Workload(string Name, ModelSize Size, ITokenizer Tokenizer, int PromptLength, RolloutSpec Spec, int Slots, int Groups, int Siblings)
{
    private const ulong Seed = 1;
    private const int MaxLength = 1024;

    /// <summary>124,736 parameters, 10 tokens in 3 steps, a learner step of 32 x 16 rollouts in 256 slots.</summary>
    public static Workload Quickstart { get; } = new(
        "quickstart, 0.12 M parameters, 10 tokens", new(64, 3, 4, 128), new CharTokenizer("0123456789"), 5, new(5, 5, 3, 1, "max-prob", false), 256, 32, 16);

    /// <summary>3.3 M parameters, 64 tokens, 32 of them generated in 8 steps, 4 x 16 rollouts in 64 slots.</summary>
    public static Workload Medium { get; } = new(
        "3.3 M parameters, 64 tokens", new(256, 5, 8, 512), new CharTokenizer(string.Concat(Enumerable.Range(' ', 95).Select(c => (char)c))), 32,
        new(32, 32, 8, 1, "max-prob", false), 64, 4, 16);

    public int Rollouts => Groups * Siblings;

    public PolicyNetwork Network => new(new ModelSettings(null, Size), Tokenizer, Seed);

    public SampleTask Task(long group) => new(group, [.. Enumerable.Range(0, Siblings)], Prompt(group, PromptLength), Spec, Evaluation: false);

    /// <summary>One long canvas of one step: while the device thread is busy with it, the groups behind it can be queued.</summary>
    public SampleTask Plug(long group) => new(group, [0], Prompt(group, 128), Spec with { GenLength = 1, BlockLength = 1, Steps = 1 }, Evaluation: false);

    /// <summary>The same network as <see cref="Network"/>, for calls without an engine.</summary>
    public TransformerModel Build(bool trainable) => ModelStore.Fresh(
        new TransformerSpec(Size.Width, Size.Layers, Size.Heads, Size.MlpWidth, Tokenizer.VocabularySize, MaxLength, 1e-5, 10_000, Tokenizer.MaskId, Tokenizer.EndId, null),
        Seed, trainable: trainable);

    public DiffusionSampler Sampler() => new(new SamplerSettings("cpu", Slots, null, Seed, CanaryLimit: 1e-4), Tokenizer, Network);

    /// <summary>Saves the model and makes it the sampler's policy.</summary>
    public static async Task AdoptAsync(DiffusionSampler sampler, TransformerModel model, string folder)
    {
        var hash = ModelStore.Save(model, folder);
        var path = Path.Combine(folder, ModelStore.WeightsFile);
        await sampler.SwapAsync(new PolicyManifest(1, 0, hash, "", PayloadKind.Full, new FileInfo(path).Length, ModelStore.WeightsFile), path);
    }

    private Prompt Prompt(long group, int length)
    {
        ImmutableArray<int> tokens = [.. Enumerable.Range(0, length).Select(i => (int)((group * 31 + i * 7 + i * i) % (Tokenizer.VocabularySize - 1)))];
        return new(group, tokens, "", "");
    }
}
