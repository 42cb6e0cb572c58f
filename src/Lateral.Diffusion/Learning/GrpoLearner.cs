using System.Collections.Immutable;
using System.Diagnostics;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion.Learning.Values;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using TorchSharp;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// Group-relative policy optimisation (GRPO, Shao et al., arXiv 2402.03300, equation 3) of whatever likelihood, correction and penalty the run names:
/// loss = sum over units of weight * (correction(log pi, log mu, A) + KL penalty) / units of the batch.
/// </summary>
/// <remarks>
/// Departures: (1) the denominator is the number of units of the whole batch (as in DAPO), counted before anything is left
/// out; (2) by default the ratio is anchored at the behaviour policy and there is no KL term to a reference.
/// The same batch on the same state gives the same weights to the bit on a CPU with one thread: shards, micro-batches and
/// random numbers are pure functions of batch and settings.
/// </remarks>
public sealed class GrpoLearner : ILearner
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly GrpoSettings _settings;
    private readonly IAdvantage? _advantage;
    private readonly IGradientExchange _exchange;
    private readonly Func<long, SupervisedExample> _corpus;
    private readonly ISupervisedObjective _objective;
    private readonly PolicyPublications _publications;
    private readonly CheckpointFiles _checkpoints;
    private readonly DeviceThread _thread;
    private readonly DeviceThread _writer;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly Task _built;
    private int _disposed;

    // Of the call that holds _oneAtATime; tensors are touched on the device thread only.
    private LearnerState? _state;
    private Exception? _failure;
    private float[] _total = [];

    /// <param name="corpus">example of the supervised warm-up by index, a pure function</param>
    /// <param name="exchange">sums gradient shards; one per run of a rank</param>
    public GrpoLearner(GrpoSettings settings, PolicyNetwork network, Func<long, SupervisedExample> corpus, IGradientExchange exchange)
    {
        _ = LearnerState.DecayOf(settings.Algorithm.Schedule);
        _ = Corrections.CorrectionCatalogue.Create(settings.Algorithm.Correction);
        (_settings, _corpus, _exchange) = (settings.Checked(), corpus, exchange);
        if (settings.Algorithm.Critic is not null && exchange.Shared)
            throw new ArgumentException($"advantage = {settings.Algorithm.Advantage} needs learner.ranks = 1: the value model is on the learner's device only", nameof(exchange));
        _advantage = settings.Advantage;
        // Without rollouts the answer is one block.
        _objective = SupervisedCatalogue.Create(settings.Warmup.Objective, settings.Rollout?.BlockLength ?? int.MaxValue);
        _publications = new(settings.RunDirectory);
        _checkpoints = new(settings.RunDirectory, settings.KeepCheckpoints);
        _thread = new(Name, StopDeadline);
        _writer = new("checkpoint writer", StopDeadline);
        _built = _thread.Run(() =>
        {
            var model = network.Build(torch.device(settings.Device), trainable: true);
            model.ActivationCheckpointing = settings.Algorithm.ActivationCheckpointing;
            _state = new(settings, model, settings.Algorithm.HasReference ? network.BuildReference(model) : null);
        });
    }

    public Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation) => Exclusively(async () =>
    {
        await OnDevice(RequireFresh).ConfigureAwait(false);
        return await OrFail(async () =>
        {
            if (_settings.Base is { } folder) await OnDevice(state => TakeOver(state, folder)).ConfigureAwait(false);
            if (_settings.Warmup.Steps > 0) await OnDevice(state => Warmup(state, progress, cancellation), Autograd.On).ConfigureAwait(false);
            await OnDevice(BeginCritic).ConfigureAwait(false);
            // No epoch is granted yet: version 0 belongs to all of them.
            var policy = await OnDevice(state => Publish(state, epoch: 0, step: 0)).ConfigureAwait(false);
            return (policy, await Write(await OnDevice(Copy).ConfigureAwait(false)).ConfigureAwait(false));
        }).ConfigureAwait(false);
    }, cancellation);

    public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => Exclusively(() => OnDevice(state => Load(state, checkpoint)), cancellation);

    public Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation) => Exclusively(async () =>
    {
        // Refusals come before anything is touched; a failure after that ends the engine, whose state is then unknown.
        await OnDevice(state => Require(state, batch)).ConfigureAwait(false);
        return await OrFail(() => Train(batch, cancellation)).ConfigureAwait(false);
    }, cancellation);

    public async Task<Checkpoint> CheckpointAsync(CancellationToken cancellation)
    {
        var copy = await Exclusively(() => OnDevice(Copy), cancellation).ConfigureAwait(false);
        return await Write(copy).WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <exception cref="TimeoutException">a thread is stuck</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        try
        {
            await _thread.Run(() => _state?.Dispose()).WaitAsync(StopDeadline).ConfigureAwait(false);
        }
        finally
        {
            _thread.Dispose();
            _writer.Dispose();
        }
    }

    private string Name => $"learner on {_settings.Device}";

    private async Task<StepReport> Train(LearnerBatch batch, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        if (batch.From is { } from) await OnDevice(state => RollBack(state, from, batch.Step)).ConfigureAwait(false);
        var appraisal = await OnDevice(state => state.Critic?.Appraise(batch)).ConfigureAwait(false);
        var plan = GroupBatch.From(batch, appraisal ?? _advantage!, _settings.Algorithm.Shards);
        var (log, result) = (new UnitLog(), default(UpdateResult));
        var (decided, updates, ranks) = (plan.Source.Decided, 0, 0);
        var cuts = new List<int>();
        while (updates < (decided?.Updates ?? _settings.Algorithm.Updates) && !result.Skipped)
        {
            var current = updates;
            var round = await SumAsync(plan, current, cancellation).ConfigureAwait(false);
            foreach (var shard in round.Total(_total))
            {
                log.Add(shard.Scored);
                cuts.Add(shard.Tokens);
            }

            ranks = Math.Max(ranks, round.Ranks);
            // Where a shard did not fit the device, neither would the critic's states: they follow what was decided for the shards.
            if (appraisal is not null) await OnDevice(state => Accumulate(state, appraisal, cuts.TakeLast(_settings.Algorithm.Shards).Min()), Autograd.On).ConfigureAwait(false);
            if (Failpoint.Holds($"nan-gradient-{plan.Source.Step}")) _total[0] = float.NaN;
            result = await OnDevice(state => state.Apply(_total, plan.Source.Step, current)).ConfigureAwait(false);
            if (!result.Skipped) updates++;
            else if (decided is not null)
                throw new InvalidOperationException($"the journal says that update {current} of step {plan.Source.Step} was applied, and now its gradient is not finite: {_settings.Device} may be defective");
        }

        Failpoint.Reach("after-optim");
        var skipped = updates < _settings.Algorithm.Updates;
        var trained = Stopwatch.GetTimestamp();
        var policy = await OnDevice(state => Publish(state, plan.Source.Epoch, plan.Source.Step)).ConfigureAwait(false);
        // What a skipped step could not compute is absent from its metrics; Skipped says why.
        var metrics = BatchMetrics.Of(plan).Concat(log.Metrics()).Concat(appraisal?.Metrics() ?? []).Concat(
        [
            .. result.ValueNorm is { } valueNorm ? [new("value/grad_norm", valueNorm)] : Array.Empty<KeyValuePair<string, double>>(),
            .. plan.Source.From is { } origin ? [new("optim/rolled_back_to", origin.Step)] : Array.Empty<KeyValuePair<string, double>>(),
            new("optim/micro_batch_tokens", cuts.Count == 0 ? _settings.Algorithm.MicroBatchTokens : cuts[^1]), new("learner/ranks", ranks), new("optim/grad_norm", result.Norm), new("optim/lr", result.Rate), new("optim/loss", log.Loss(plan.Denominator(_settings.Algorithm.Unit))), new("tokens/scored", log.Count),
            new("time/train", Stopwatch.GetElapsedTime(start, trained).TotalSeconds), new("time/publish", Stopwatch.GetElapsedTime(trained).TotalSeconds),
        ]).Where(metric => double.IsFinite(metric.Value));
        return new StepReport(plan.Source.Step, policy, skipped, ImmutableSortedDictionary.CreateRange(metrics)) { Decision = new(updates, MicroBatchCuts.Encode(cuts)) };
    }

    /// <summary>One update's gradient: this rank computes shards until none is left to take, and others do so beside it.</summary>
    /// <remarks>Ratios are reported of the first update only, under the weights the step began with.</remarks>
    private async Task<IGradientRound> SumAsync(GroupBatch plan, int update, CancellationToken cancellation)
    {
        var shards = _settings.Algorithm.Shards;
        var cuts = MicroBatchCuts.Decode(plan.Source.Decided, update, shards);
        var weights = _exchange.Shared ? await OnDevice(WeightsForRanks).ConfigureAwait(false) : null;
        var round = _exchange.Begin(new(plan.Source, update, shards, _total.Length, weights, cuts));
        while (await round.NextAsync(cancellation).ConfigureAwait(false) is { } shard)
        {
            await OnDevice(
                state =>
                {
                    state.Shards.Compute(plan, update, shard, cuts?[shard], (gradient, report) => round.Contribute(shard, gradient, report));
                    return true;
                },
                Autograd.On).ConfigureAwait(false);
        }

        return round;
    }

    /// <summary>Weights that were never published, as in the middle of a step and after a restart, are laid where policies are fetched.</summary>
    private PolicyManifest WeightsForRanks(LearnerState state) => state.Published ??= _publications.Lay(state.Model, state.Step, state.Hash);

    /// <summary>Weights and optimizer of an earlier checkpoint; the step number goes on.</summary>
    private bool RollBack(LearnerState state, Checkpoint to, int step)
    {
        Load(state, to);
        state.Step = step - 1;
        return true;
    }

    private bool Load(LearnerState state, Checkpoint checkpoint)
    {
        // Until all of it is loaded there is no policy to train.
        state.Hash = "";
        _checkpoints.Sweep();
        _publications.Sweep();
        _checkpoints.Read(checkpoint, (folder, manifest, saved) =>
        {
            CheckpointFiles.LoadOptimizer(folder, state.Optimizer);
            CheckpointFiles.LoadWeights(folder, state.Model);
            state.BeginCritic(SavedCritic.In(folder, manifest));
            if (saved.Step == 0 && state.Reference is { } reference)
            {
                CheckpointFiles.LoadWeights(folder, reference);
                state.ReferenceLoaded = true;
            }

            (state.Step, state.Hash, state.Published) = (saved.Step, checkpoint.Hash, null);
        });
        return true;
    }

    private bool Require(LearnerState state, LearnerBatch batch)
    {
        if (state.Hash.Length == 0) throw new InvalidOperationException("the learner has no policy yet: prepare the base or load a checkpoint first");
        if (batch.Step != state.Step + 1) throw new InvalidOperationException($"batch of step {batch.Step} does not follow step {state.Step}");
        if (_total.Length == 0) _total = new float[state.Shards.Length];
        GroupBatch.RequireNumbers(batch);
        LoadReference(state);
        return true;
    }

    private static bool Accumulate(LearnerState state, Appraisal appraisal, int tokens)
    {
        state.Critic!.Accumulate(appraisal, tokens);
        return true;
    }

    /// <summary>A fork's goes on with its parent's, if that had one.</summary>
    private static bool BeginCritic(LearnerState state)
    {
        if (state.Critic is null) state.BeginCritic(null);
        return true;
    }

    /// <summary>Version 0, whose checkpoint is never pruned.</summary>
    private void LoadReference(LearnerState state)
    {
        if (state.Reference is null || state.ReferenceLoaded) return;
        _checkpoints.ReadBase(folder => CheckpointFiles.LoadWeights(folder, state.Reference));
        state.ReferenceLoaded = true;
    }

    private static bool RequireFresh(LearnerState state) =>
        state.Hash.Length == 0 ? true : throw new InvalidOperationException($"the learner already holds version {state.Step}: a base is prepared by a new one");

    private PolicyManifest Publish(LearnerState state, int epoch, int step)
    {
        var manifest = _publications.Publish(state.Model, epoch, step, state.Hash);
        (state.Step, state.Hash, state.Published) = (step, manifest.Hash, manifest);
        return manifest;
    }

    private CheckpointCopy Copy(LearnerState state)
    {
        if (state.Hash.Length == 0) throw new InvalidOperationException("the learner has no policy yet: there is nothing to checkpoint");
        var form = PolicyForm.Of(state.Model);
        return new(form, new(state.Step, state.Hash, state.Optimizer.Updates, _settings.Seed), state.Copy(form.Weights));
    }

    /// <summary>On a thread of its own: a slow disk does not hold up training.</summary>
    private Task<Checkpoint> Write(CheckpointCopy copy) => _writer.Run(() =>
    {
        using (copy) return _checkpoints.Write(copy);
    });

    /// <summary>Weights, moments and value model of another run's checkpoint; its step and schedule stay behind.</summary>
    private static bool TakeOver(LearnerState state, string folder)
    {
        CheckpointFolder.Open(folder, work: manifest =>
        {
            CheckpointFiles.LoadOptimizer(folder, state.Optimizer);
            CheckpointFiles.LoadWeights(folder, state.Model);
            if (SavedCritic.In(folder, manifest) is { } critic) state.BeginCritic(critic);
        });
        return true;
    }

    private bool Warmup(LearnerState state, IProgress<WarmupProgress> progress, CancellationToken cancellation)
    {
        var warmup = _settings.Warmup;
        var settings = new SupervisedSettings(
            warmup.Steps, warmup.Batch, new(warmup.LearningRate, warmup.LrWarmup, warmup.Steps, Decay.Cosine, .1), new(.9, .98, 1e-8, 0),
            ClipNorm: 1, MinimumMaskRatio: 0, _settings.Seed);
        SupervisedTrainer.Train(
            state.Model, settings, _objective, (step, row) => _corpus((long)step * warmup.Batch + row),
            done => progress.Report(new(done.Step, done.Steps, done.Loss, done.Elapsed.TotalSeconds)), cancellation);
        return true;
    }

    private Task<T> OnDevice<T>(Func<LearnerState, T> work, Autograd autograd = Autograd.Off) => _thread.Run(() => work(_state!), autograd);

    private async Task<T> Exclusively<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await OrFail(async () =>
            {
                await _built.ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Runs work whose failure leaves the engine unusable; the first cause is what every later call reports.</summary>
    private async Task<T> OrFail<T>(Func<Task<T>> work)
    {
        if (_failure is not null) throw new EngineFailedException(Name, _failure);
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _failure = error;
            if (error is OperationCanceledException) throw;
            throw new EngineFailedException(Name, error);
        }
    }
}
