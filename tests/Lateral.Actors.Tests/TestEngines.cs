using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>Engines without torch: every result is a pure function of its inputs, so that runs can be compared by hash.</summary>
internal sealed class TestEngines
{
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Policies, checkpoints and recorded lines outlive engines, as a disk would.</summary>
    public ConcurrentDictionary<int, string> Checkpoints { get; } = new();

    public ConcurrentQueue<int> Recorded { get; } = new();

    /// <summary>Held back until this ends.</summary>
    public Task Recording { get; set; } = Task.CompletedTask;

    public ConcurrentQueue<LearnerBatch> Batches { get; } = new();

    public ConcurrentBag<RolloutId> Sampled { get; } = [];

    public Func<RolloutId, bool> SamplerFault { get; set; } = _ => false;

    /// <summary>Why a sampler refuses a policy that it has loaded.</summary>
    public Func<PolicyManifest, string?> SwapFault { get; set; } = _ => null;

    public Func<int, bool> LearnerFault { get; set; } = _ => false;

    /// <summary>Steps whose gradient is not finite when they are trained first.</summary>
    public Func<int, bool> Skip { get; set; } = _ => false;

    /// <summary>What a step says of its gradient's norm.</summary>
    public Func<int, double> GradientNorm { get; set; } = _ => 1;

    /// <summary>Checkpoints that cannot be read.</summary>
    public Func<int, bool> Corrupt { get; set; } = _ => false;

    public Func<RewardRequest, RewardOutcome> Reward { get; set; } = request =>
        new RewardOutcome.Scored(request.Id.Sibling % 2, ImmutableSortedDictionary<string, double>.Empty);

    public RunEngines ToRunEngines() => new(
        _ => new TestSampler(this),
        () => new TestLearner(this),
        ImmutableDictionary<string, IReward>.Empty.Add("answer", new TestReward(this)),
        new TestPrompts(),
        new TestEvaluator(),
        new TestRecorder(this),
        new TestPolicyCache(),
        new TestPolicyStore());

    public static RunSettings Settings(string directory, int steps = 4, int groups = 3, int eta = 1, bool deterministic = false, string name = "test") => new(
        name, directory, steps, 7, deterministic,
        new TaskSettings("sort5", ImmutableSortedDictionary<string, string>.Empty),
        new ModelSettings(null, new ModelSize(8, 1, 1, 8)), new WarmupSettings(0, 1, 1e-3, 0),
        new RolloutSettings(groups, 2, new RolloutSpec(2, 2, 2, 1, "random", false), TimeSpan.FromSeconds(30)), eta, "grpo",
        new LearnerSettings(MethodSettings.Of("trajectory", ("step-subset", 0)), RatioGranularity.Token, MethodSettings.Of("none"), "group-mean", 1e-3, 0, "constant", 1, .9, .999, 1e-8, 0, 1, 1, 2, 1024),
        [new RewardPoolSpec("answer", "sort", 2, 1, TimeSpan.FromSeconds(1), 0)],
        new EvaluationSettings(0, 1, 1, 1), new CheckpointSettings(2, 3),
        new TopologySettings(["cpu"], 4, "cpu", "127.0.0.1", 0), new JournalSettings("sqlite"), new ComputeSettings(1, null), "")
    {
        Policies = new(PolicySyncSettings.Http, 0, null, null, 1, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), 1e-4),
    };
}

/// <summary>Two steps a rollout; tokens are a pure function of (policy hash, group, sibling).</summary>
internal sealed class TestSampler(TestEngines engines) : ISampler
{
    private readonly Channel<SampleTask> _queue = Channel.CreateUnbounded<SampleTask>();
    private PolicyManifest? _policy;
    private long _forwards;

    public SamplerStatistics Statistics => SamplerStatistics.Zero with { Forwards = _forwards, BusySeconds = _forwards * 1e-3, CanaryDifference = _policy?.Canary };

    public void Submit(SampleTask task) => _queue.Writer.TryWrite(task);

    public void Cancel(long group)
    {
    }

    public Task SwapAsync(PolicyManifest manifest, string path)
    {
        if (engines.SwapFault(manifest) is { } refusal) return Task.FromException(new PolicyUnavailableException(refusal));
        _policy = manifest;
        return Task.CompletedTask;
    }

    public async Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation)
    {
        var task = await _queue.Reader.ReadAsync(cancellation);
        return [.. task.Siblings.Select(sibling => Sample(task, sibling))];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Trajectory Sample(SampleTask task, int sibling)
    {
        var id = new RolloutId(task.Group, sibling);
        if (engines.SamplerFault(id)) throw new InvalidOperationException($"device lost at {id}");
        engines.Sampled.Add(id);
        _forwards++;
        var policy = _policy ?? throw new InvalidOperationException("sampling before the first policy");
        var token = TestEngines.Hash($"{policy.Hash}/{id}")[0];
        return new Trajectory(
            id, task.Prompt.Tokens, [token, token], [0, 1], [-.5f, -.25f], [0, 0], .1f, [new PolicySpan(0, policy.Version, policy.Hash)], $"{token}{token}");
    }
}

/// <summary>"Weights" are a hash chained over everything that was trained.</summary>
internal sealed class TestLearner(TestEngines engines) : ILearner
{
    private string _weights = "";
    private int _step;

    public Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation)
    {
        _weights = TestEngines.Hash("base");
        engines.Checkpoints[0] = _weights;
        return Task.FromResult((Manifest(1, ""), new Checkpoint(0, "0", _weights)));
    }

    public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation)
    {
        if (engines.Corrupt(checkpoint.Step)) throw new PolicyUnavailableException($"checkpoint {checkpoint.Step} is torn");
        (_weights, _step) = (engines.Checkpoints[checkpoint.Step], checkpoint.Step);
        return Task.CompletedTask;
    }

    public Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation)
    {
        if (engines.LearnerFault(batch.Step)) throw new InvalidOperationException($"out of memory at step {batch.Step}");
        if (batch.Step != _step + 1) throw new InvalidOperationException($"step {batch.Step} after {_step}");
        engines.Batches.Enqueue(batch);
        if (batch.From is { } from) _weights = engines.Checkpoints[from.Step];
        var parent = _weights;
        var skipped = batch.Decided is { } decided ? decided.Updates == 0 : engines.Skip(batch.Step);
        if (!skipped) _weights = TestEngines.Hash(_weights + string.Join(",", batch.Groups.Select(ContentHash.Of)));
        _step = batch.Step;
        return Task.FromResult(new StepReport(batch.Step, Manifest(batch.Epoch, parent), skipped, ImmutableSortedDictionary<string, double>.Empty.Add("optim/grad_norm", engines.GradientNorm(batch.Step)))
        {
            Decision = new StepDecision(skipped ? 0 : 1, [new MicroBatchSpan(0, 1024)]),
        });
    }

    public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation)
    {
        engines.Checkpoints[_step] = _weights;
        return Task.FromResult(new Checkpoint(_step, $"{_step}", _weights));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private PolicyManifest Manifest(int epoch, string parent) => new(epoch, _step, _weights, parent, PayloadKind.Full, 1, $"v{_step}") { Canary = 0 };
}

internal sealed class TestReward(TestEngines engines) : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => ValueTask.FromResult(engines.Reward(request));
}

internal sealed class TestPrompts : IPromptSource
{
    public int HeldOutCount => 1;

    public Prompt Train(long ordinal) => new(ordinal, [(int)(ordinal % 10)], $"{ordinal % 10}", "");

    public Prompt HeldOut(int index) => Train(index);
}

internal sealed class TestEvaluator : IEvaluator
{
    public Task<ImmutableSortedDictionary<string, double>> EvaluateAsync(PolicyManifest policy, bool full, CancellationToken cancellation) =>
        Task.FromResult(ImmutableSortedDictionary<string, double>.Empty.Add("eval/pass_at_1", .5));
}

internal sealed class TestRecorder(TestEngines engines) : IRunRecorder
{
    public int LastRecordedStep => engines.Recorded.DefaultIfEmpty(0).Max();

    public void Warmup(WarmupProgress progress)
    {
    }

    public Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation) => Task.CompletedTask;

    public async Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation)
    {
        await engines.Recording;
        if (!engines.Recorded.Contains(report.Step)) engines.Recorded.Enqueue(report.Step);
    }
}

internal sealed class TestPolicyCache : IPolicyCache
{
    public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation) => Task.FromResult(manifest.Location);
}

internal sealed class TestPolicyStore : IPolicyStore
{
    public void Prune(int oldestVersion)
    {
    }
}
