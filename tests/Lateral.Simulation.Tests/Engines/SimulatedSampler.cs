using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Simulation.Tests.Machine;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests.Engines;

/// <summary>A continuous batch whose denoising steps take virtual time. Tokens are a function of rollout and policies, the time they take is not.</summary>
internal sealed class SimulatedSampler(Process process, World world) : ISampler
{
    private readonly Queue<(SampleTask Task, int Sibling)> _queue = new();
    private readonly List<Trajectory> _finished = [];
    private TaskCompletionSource<IReadOnlyList<Trajectory>>? _asked;
    private Exception? _failure;
    private PolicyManifest? _policy;
    private bool _disposed;
    private int _active;
    private long _forwards;

    public SamplerStatistics Statistics => SamplerStatistics.Zero with { Forwards = _forwards, BusySeconds = _forwards * 1e-2 };

    public void Submit(SampleTask task)
    {
        world.Verdicts.Require(task.Group < world.Ledger.Fold.Issued, "I1 Identity", $"group {task.Group} is sampled and was never issued");
        world.Verdicts.Require(_policy is not null, "I10 Bounded", $"group {task.Group} is sampled before any policy is there");
        foreach (var sibling in task.Siblings) _queue.Enqueue((task, sibling));
        Fill();
    }

    public void Cancel(long group)
    {
    }

    public Task SwapAsync(PolicyManifest manifest, string path) => world.Later(process, () => !_disposed, Moment(), () => _policy = manifest);

    public Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation)
    {
        if (_failure is not null) return Task.FromException<IReadOnlyList<Trajectory>>(_failure);
        _asked = new TaskCompletionSource<IReadOnlyList<Trajectory>>();
        var asked = _asked.Task;
        Deliver();
        return asked;
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return ValueTask.CompletedTask;
    }

    private void Fill()
    {
        while (_active < world.Scenario.Slots && _queue.TryDequeue(out var next))
        {
            _active++;
            Denoise(new Canvas(next.Task, new RolloutId(next.Task.Group, next.Sibling)));
        }
    }

    /// <summary>One step under whatever policy is current when it begins.</summary>
    private void Denoise(Canvas canvas)
    {
        var policy = _policy!;
        canvas.Compute(policy);
        _ = world.Later(process, () => !_disposed && _failure is null, Moment(), () =>
        {
            _forwards++;
            if (world.Fails(world.Scenario.EngineFailures))
            {
                _failure = new InvalidOperationException($"device lost at {canvas.Id}");
                _asked?.TrySetException(_failure);
            }
            else if (!canvas.IsDone)
            {
                Denoise(canvas);
            }
            else
            {
                _active--;
                _finished.Add(canvas.ToTrajectory(world.Plant == Plant.UnseededSampler && !world.Sampled.Add(canvas.Id) ? world.Stage.Dice.Next() : 0));
                Fill();
                Deliver();
            }

            return 0;
        });
    }

    private void Deliver()
    {
        if (_finished.Count == 0 || _asked is not { } asked || asked.Task.IsCompleted) return;
        IReadOnlyList<Trajectory> finished = [.. _finished];
        _finished.Clear();
        asked.SetResult(finished);
    }

    /// <summary>Mostly quick; sometimes longer than a lease lasts.</summary>
    private TimeSpan Moment() => world.Fails(.01)
        ? world.Stage.Dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(40))
        : world.Stage.Dice.Between(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(250));

    private sealed class Canvas(SampleTask task, RolloutId id)
    {
        private readonly List<PolicySpan> _spans = [];
        private readonly int _steps = 1 + (int)(Key(id) % 3);
        private readonly List<ulong> _computed = [];

        public RolloutId Id => id;

        public bool IsDone => _computed.Count == _steps;

        public void Compute(PolicyManifest policy)
        {
            if (_spans.Count == 0 || _spans[^1].Hash != policy.Hash) _spans.Add(new PolicySpan(_computed.Count, policy.Version, policy.Hash));
            _computed.Add(Dice.Scramble(Key(id) ^ ulong.Parse(policy.Hash.AsSpan(0, 16), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) + (ulong)_computed.Count));
        }

        public Trajectory ToTrajectory(ulong noise) => new(
            id,
            task.Prompt.Tokens,
            [.. _computed.Select(one => (int)((one ^ noise) & 0xFFFF))],
            [.. Enumerable.Range(0, _steps)],
            [.. _computed.Select(one => -(float)(one >> 48) / 65536)],
            [.. _computed.Select(_ => 0f)],
            .5f,
            [.. _spans],
            string.Join(' ', _computed.Select(one => (one ^ noise) & 0xFFFF)));

        private static ulong Key(RolloutId id) => Dice.Scramble((ulong)(id.Group * 1000 + id.Sibling + 1));
    }
}
