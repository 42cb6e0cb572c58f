using System.Collections.Immutable;
using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.RewardModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A reward model of 2 layers that reads digits, its pairs (sorted digits are preferred), and its training.</summary>
internal static class TinyReward
{
    public const int End = 10, Mask = 11;

    public static TransformerSpec Spec { get; } = new TransformerSpec(16, 2, 2, 32, 12, 24, 1e-5, 10_000, Mask, End, null).Checked();

    public static RewardTrainingSettings Settings(int steps = 60, int tokens = 4096, double lr = 1e-2) =>
        new(steps, 16, tokens, new LearningRate(lr, 5, steps, Decay.Cosine, .1), new(.9, .999, 1e-8, 0), ClipNorm: 1, Centre: 0, Seed: 5);

    /// <summary>A fresh model whose head has an opinion.</summary>
    public static RewardModel Model(ulong seed = 3, TransformerSpec? spec = null)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var model = RewardModelStore.Fresh(spec ?? Spec, seed, CPU);
        var head = model.Parameters[RewardModel.Head];
        head.copy_(tensor([.. Enumerable.Range(0, 16).Select(i => .3f * MathF.Sin(2 * i))]).view(1, 16));
        return model;
    }

    public static RewardText Text(string prompt, string completion, bool end = true) =>
        new([.. prompt.Select(digit => digit - '0')], [.. completion.Select(digit => digit - '0'), .. end ? [End] : Array.Empty<int>()]);

    /// <summary>Prompts of five digits: sorted against backwards.</summary>
    public static ImmutableArray<PreferencePair> Pairs(int count, ulong seed = 1)
    {
        var random = new CounterRandom(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
            {
                var prompt = string.Concat(Enumerable.Range(0, 5).Select(j => random.Below(10, RandomStream.Corpus, i, position: j)));
                var sorted = string.Concat(prompt.Order());
                return new PreferencePair(Text(prompt, sorted), Text(prompt, string.Concat(sorted.Reverse())));
            }),
        ];
    }
}
