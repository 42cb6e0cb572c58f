using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Lateral.Actors;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Benchmarks.Runs;

/// <summary>Engines that compute next to nothing: what a run still costs is journal and orchestration.</summary>
internal sealed class FreeEngines(RolloutSpec spec)
{
    private readonly List<Cost> _trained = [];

    /// <summary>When each step came to the learner; complete once the run is.</summary>
    public IReadOnlyList<Cost> Trained => _trained;

    public RunEngines ToRunEngines() => new(
        _ => new Sampler(spec), () => new Learner(_trained), ImmutableDictionary<string, IReward>.Empty.Add("answer", new Reward()),
        new Prompts(), new Evaluator(), new Recorder(), new Cache(), new Store());

    /// <summary>Every rollout of one shape; its numbers do not compress, as real ones do not.</summary>
    private sealed class Sampler(RolloutSpec spec) : ISampler
    {
        private readonly Channel<SampleTask> _queue = Channel.CreateUnbounded<SampleTask>();
        private readonly ImmutableArray<int> _revealStep = [.. Enumerable.Range(0, spec.GenLength).Select(i => i * spec.Steps / spec.GenLength)];
        private PolicyManifest? _policy;

        public SamplerStatistics Statistics => SamplerStatistics.Zero;

        public void Submit(SampleTask task) => _queue.Writer.TryWrite(task);

        public void Cancel(long group)
        {
        }

        public Task SwapAsync(PolicyManifest manifest, string path)
        {
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
            var random = new Random(HashCode.Combine(task.Group, sibling));
            var tokens = new int[spec.GenLength];
            var logProbs = new float[spec.GenLength];
            for (var i = 0; i < tokens.Length; i++) (tokens[i], logProbs[i]) = (random.Next(10), -random.NextSingle());
            return new(
                new(task.Group, sibling), task.Prompt.Tokens, [.. tokens], _revealStep, [.. logProbs], [.. new float[spec.Steps]], .5f,
                [new(0, _policy!.Version, _policy.Hash)], string.Concat(tokens));
        }
    }

    private sealed class Learner(List<Cost> trained) : ILearner
    {
        public Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation) =>
            Task.FromResult((Policy(1, 0), Saved(0)));

        public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => throw new InvalidOperationException("this run is never resumed");

        public Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation)
        {
            trained.Add(Cost.Now);
            return Task.FromResult(new StepReport(batch.Step, Policy(batch.Epoch, batch.Step), false, ImmutableSortedDictionary<string, double>.Empty));
        }

        public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation) => Task.FromResult(Saved(trained.Count));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static PolicyManifest Policy(int epoch, int step) => new(epoch, step, Hash(step), step == 0 ? "" : Hash(step - 1), PayloadKind.Full, 1, $"v{step}");

        private static Checkpoint Saved(int step) => new(step, $"step_{step}", Hash(step));

        private static string Hash(int step) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{step}")));
    }

    private sealed class Reward : IReward
    {
        public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult<RewardOutcome>(new RewardOutcome.Scored(request.Id.Sibling % 2, ImmutableSortedDictionary<string, double>.Empty));
    }

    private sealed class Prompts : IPromptSource
    {
        public int HeldOutCount => 1;

        public Prompt Train(long ordinal) => new(ordinal, [1, 2, 3, 4, 5], "12345", "");

        public Prompt HeldOut(int index) => Train(index);
    }

    private sealed class Evaluator : IEvaluator
    {
        public Task<ImmutableSortedDictionary<string, double>> EvaluateAsync(PolicyManifest policy, bool full, CancellationToken cancellation) =>
            Task.FromResult(ImmutableSortedDictionary<string, double>.Empty);
    }

    private sealed class Recorder : IRunRecorder
    {
        public int LastRecordedStep { get; private set; }

        public void Warmup(WarmupProgress progress)
        {
        }

        public Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation) => Task.CompletedTask;

        public Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation)
        {
            LastRecordedStep = report.Step;
            return Task.CompletedTask;
        }
    }

    private sealed class Cache : IPolicyCache
    {
        public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation) => Task.FromResult(manifest.Location);
    }

    private sealed class Store : IPolicyStore
    {
        public void Prune(int oldestVersion)
        {
        }
    }
}
