using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Lateral.Diffusion;
using Lateral.Diffusion.Models;
using Lateral.Node.Composition;

namespace Lateral.Node.Estimation;

/// <summary>
/// Peak memory per device and role, computed from sizes alone: nothing is loaded. Legend of the formulas: P parameters,
/// A of them trained (an adapter's, or all), T tokens of one forward, D width, F width of the gated MLP, N scored rows, V vocabulary.
/// </summary>
/// <remarks>
/// Checked against the peak of real processes on the CPU (0.12 and 12.4
/// million parameters, 2,560 to 20,480 tokens a forward): within 20 %. Fused attention keeps no [L, L] scores beyond 64 tokens.
/// </remarks>
/// <param name="Prompt">tokens of the longest prompt</param>
public sealed record MemoryEstimate(RunSettings Settings, TransformerSpec Spec, int Prompt)
{
    private const long Float = sizeof(float);

    /// <summary>libtorch, .NET, Akka and the journal before any model; measured 0.30 to 0.35 GiB.</summary>
    private const long Runtime = 340L << 20;

    /// <summary>What passes through allocators besides the tensors that are counted: gradients on their way, fragments. Measured.</summary>
    private const double Transient = 1.5;

    /// <summary>Draws scored at once are cut so that N * V stays below it: the sampler's own bound.</summary>
    private const long SamplerLogits = 1L << 25;

    public static MemoryEstimate Of(RunSettings settings, TaskComposition task) =>
        new(settings, RunComposition.Network(settings with { ForkedFrom = null }, task).Spec, task.LongestPrompt());

    public long Parameters => ModelStore.ParameterCount(Spec);

    /// <summary>Those that are trained, and so have gradients and moments.</summary>
    public long Trained => Settings.Model.Adapter is { } adapter
        ? LoraAdapter.ParameterCount(Spec, LoraSettings.Of(adapter, Spec, null)) + (Spec.UnmaskingPolicy ? Parameters - ModelStore.ParameterCount(Spec with { UnmaskingPolicy = false }) : 0)
        : Parameters;

    /// <summary>Bytes of a number in a sampler's forward.</summary>
    private long SamplerWidth => Settings.Model.Precision == ModelPrecision.BFloat16 ? 2 : Float;

    /// <summary>And in the learner's, which trains float32 weights or an adapter of narrower ones.</summary>
    private long LearnerWidth => Settings.Model.Adapter is null ? Float : SamplerWidth;

    private bool HasCritic => Settings.Learner.Critic is not null;

    /// <summary>The policy's network with one output in place of a vocabulary's.</summary>
    private long CriticParameters => Parameters - ((Spec.Vocabulary - 1L) * Spec.Width);

    private int Canvas => Prompt + Settings.Rollout.Spec.GenLength;

    /// <summary>Every device of the topology, and the CPU in any case.</summary>
    /// <param name="capacity">bytes of a device, or null where nobody knows</param>
    public ImmutableArray<DeviceNeed> Devices(Func<string, long?> capacity)
    {
        var topology = Settings.Topology;
        var roles = new List<(string Device, RoleNeed Need)> { ("cpu", Process()) };
        roles.AddRange(topology.SamplerDevices.Select(device => (device, Sampler("sampler"))));
        roles.Add((topology.SamplerDevices[0], Sampler("evaluation")));
        roles.Add((topology.LearnerDevice, Learner()));
        // In a cluster a rank's process is on another machine, or may be: its device is told apart by its role only.
        if (topology.Ranks > 1) roles.AddRange(topology.RankDevices.Select(device => (device, Rank())));
        return [.. roles.GroupBy(role => role.Device, role => role.Need, StringComparer.Ordinal).Select(group => new DeviceNeed(group.Key, [.. group], capacity(group.Key)))];
    }

    private RoleNeed Process() => new("process",
    [
        new("runtime", Runtime, "libtorch, .NET, actors, journal", Fixed: true),
        new("gradient sums", 2 * Float * Trained, $"2 x 4 B x A = {Trained:N0}", Fixed: true),
        new("checkpoint copy", 3 * Float * Trained, "weights and two moments, 12 B x A, while a checkpoint is written", Fixed: true),
        .. HasCritic ? [new("critic's checkpoint copy", 3 * Float * CriticParameters, $"12 B x {CriticParameters:N0}, the same", Fixed: true)] : Array.Empty<MemoryItem>(),
    ]);

    private RoleNeed Sampler(string role)
    {
        var (slots, block) = (Settings.Topology.Slots, Settings.Rollout.Spec.BlockLength);
        var tokens = (long)slots * Canvas;
        var scored = Math.Min((long)slots * block * Spec.Vocabulary, Math.Max(SamplerLogits, Spec.Vocabulary));
        // Logits and log-probs in float32; log-probs, probabilities, their sum and a product in float64; a comparison. A temperature adds a second softmax.
        var bytes = Settings.Rollout.Spec.Temperature is 1 ? 41 : 61;
        return new(role,
        [
            .. Weights(SamplerWidth),
            new("canvases", (long)(Transient * SamplerWidth * tokens * ((2L * Spec.Width) + Math.Max(4L * Spec.Width, 3L * Spec.MlpWidth))), $"{Transient * SamplerWidth:0} B x one block of T = {slots} slots x {Canvas} = {tokens:N0} tokens x (2 D + the larger of 4 D and 3 F)"),
            new("logits", bytes * scored, $"{bytes} B x N x V, N = {slots} slots x {block}, V = {Spec.Vocabulary:N0}{(scored < (long)slots * block * Spec.Vocabulary ? ", in pieces" : "")}"),
        ]);
    }

    private RoleNeed Learner() => Gradients(
        "learner", Settings.Warmup.Steps > 0 ? Settings.Warmup.Batch : 0,
        [
            new("optimizer moments", 2 * Float * Trained, $"8 B x A = {Trained:N0}", Fixed: true),
            .. Settings.Learner.HasReference ? [new("reference policy", Float * Trained, "4 B x A: an adapter's shares the weights below", Fixed: true)] : Array.Empty<MemoryItem>(),
            .. HasCritic ? [new("critic", 4 * Float * CriticParameters, $"16 B x {CriticParameters:N0}: weights, gradients and two moments", Fixed: true)] : Array.Empty<MemoryItem>(),
        ]);

    /// <summary>It has no optimizer and does not warm up.</summary>
    private RoleNeed Rank() => Gradients("learner rank", warmup: 0);

    /// <param name="warmup">canvases of the warm-up's one forward; on average half of their answers' tokens are masked and scored</param>
    private RoleNeed Gradients(string role, long warmup, params ReadOnlySpan<MemoryItem> more)
    {
        var spec = Settings.Rollout.Spec;
        var tokens = Math.Max(HasCritic ? TokensOfBatch() : TokensOfShard(), warmup * Canvas);
        var rows = Math.Max(TokensOfShard() / Canvas * Math.Max(1, spec.GenLength / spec.Steps), warmup * spec.GenLength / 2);
        var kept = (13L * Spec.Width) + (3L * Spec.MlpWidth);
        var (bytes, checkpointing) = (Transient * LearnerWidth, Settings.Learner.ActivationCheckpointing);
        return new(role,
        [
            .. Weights(LearnerWidth),
            new("gradients", 2 * Float * Trained, "8 B x A: by parameter and as one vector", Fixed: true),
            .. more,
            checkpointing
                ? new("activations", (long)(bytes * tokens * (kept + ((long)Spec.Layers * Spec.Width))), $"{bytes:0} B x T = {tokens:N0} tokens of a forward x (one block's 13 D + 3 F, and D of each of {Spec.Layers} blocks)")
                : new("activations", (long)(bytes * Spec.Layers * tokens * kept), $"{bytes:0} B x {Spec.Layers} blocks x T = {tokens:N0} tokens of a forward x (13 D + 3 F)"),
            new("logits", 6 * Float * rows * Spec.Vocabulary, $"24 B x N x V, N = {rows:N0} rows of a forward, V = {Spec.Vocabulary:N0}"),
        ]);
    }

    private MemoryItem[] Weights(long width) =>
    [
        new("weights", width * Parameters, $"{width} B x P = {Parameters:N0}", Fixed: true),
        .. Settings.Model.Adapter is null ? [] : new[] { new MemoryItem("adapter", Float * Trained, $"4 B x A = {Trained:N0}", Fixed: true) },
    ];

    /// <summary>The critic's micro-batches hold states of the whole batch.</summary>
    private long TokensOfBatch() =>
        Math.Max(Canvas, Math.Min(Settings.Learner.MicroBatchTokens, (long)Settings.Rollout.GroupsPerStep * Settings.Rollout.GroupSize * Settings.Rollout.Spec.Steps * Canvas));

    /// <summary>A micro-batch holds states of one gradient shard only.</summary>
    private long TokensOfShard()
    {
        var (rollout, learner) = (Settings.Rollout, Settings.Learner);
        var rollouts = ((rollout.GroupsPerStep * rollout.GroupSize) + learner.Shards - 1L) / learner.Shards;
        var states = rollouts * (learner.Likelihood.Knobs.GetValueOrDefault("step-subset") is > 0 and var subset ? (int)subset : rollout.Spec.Steps);
        return Math.Max(Canvas, Math.Min(learner.MicroBatchTokens, states * Canvas));
    }
}
