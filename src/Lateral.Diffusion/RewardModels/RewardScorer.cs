using System.Collections.Concurrent;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;

namespace Lateral.Diffusion.RewardModels;

/// <summary>
/// A reward model on a device that answers any number of callers: what waits while one forward runs goes into the next together, up to a number of texts. Nobody waits for company. It owns a thread and the model.
/// </summary>
/// <remarks>Whom a text shares its forward with changes its reward by rounding only; with a batch of 1 it depends on the text alone, to the bit on a CPU with one thread.</remarks>
public sealed class RewardScorer : IAsyncDisposable
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly DeviceThread _thread;
    private readonly int _batch;
    private readonly ConcurrentQueue<Waiting> _waiting = new();
    private RewardModel _model = null!;
    private long _forwards;

    private RewardScorer(DeviceThread thread, RewardModelInfo info, int batch) => (_thread, Info, _batch) = (thread, info, batch);

    public RewardModelInfo Info { get; }

    /// <summary>Tokens of the longest text that it reads.</summary>
    public int MaxLength => _model.Spec.MaxLength;

    /// <summary>Forwards so far.</summary>
    public long Forwards => Interlocked.Read(ref _forwards);

    /// <param name="folder">as a training writes it</param>
    /// <param name="device">for example <c>cpu</c> or <c>cuda:0</c></param>
    /// <param name="batch">texts of a forward, at most</param>
    /// <exception cref="ModelException">the folder holds no reward model, or its files do not fit one another</exception>
    /// <exception cref="Checkpoints.SafetensorsException">the weights file is not sound</exception>
    public static async Task<RewardScorer> OpenAsync(string folder, string device, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var thread = new DeviceThread($"reward model on {device}", StopDeadline);
        try
        {
            var scorer = new RewardScorer(thread, RewardModelInfo.Read(folder), batch);
            await thread.Run(() => scorer._model = RewardModelStore.Load(folder, TorchSharp.torch.device(device)), Autograd.Off).ConfigureAwait(false);
            return scorer;
        }
        catch
        {
            thread.Dispose();
            throw;
        }
    }

    /// <returns>the reward as the model gives it, not normalised</returns>
    /// <exception cref="ArgumentException">the text is longer than <see cref="MaxLength"/>, or has no completion</exception>
    /// <exception cref="DeviceMemoryException">the forward does not fit; says its shape</exception>
    /// <exception cref="ObjectDisposedException">it was told to stop</exception>
    public async Task<double> ScoreAsync(RewardText text, CancellationToken cancellation)
    {
        if (text.Length > MaxLength || text.Completion.IsDefaultOrEmpty) throw new ArgumentException($"a text has 1 to {MaxLength} tokens and a completion, this one {text.Length} and {text.Completion.Length} of them", nameof(text));
        var waiting = new Waiting(text, cancellation);
        _waiting.Enqueue(waiting);
        // As many calls as texts, and each takes one at least: none is left.
        await _thread.Run(Serve).WaitAsync(cancellation).ConfigureAwait(false);
        return await waiting.Result.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _thread.Run(_model.Dispose).WaitAsync(StopDeadline).ConfigureAwait(false);
        _thread.Dispose();
    }

    private void Serve()
    {
        var together = new List<Waiting>();
        while (together.Count < _batch && _waiting.TryDequeue(out var one))
        {
            // Nobody waits for it any more.
            if (one.Cancellation.IsCancellationRequested) one.Result.TrySetCanceled(one.Cancellation);
            else together.Add(one);
        }

        if (together.Count == 0) return;
        Interlocked.Increment(ref _forwards);
        try
        {
            var rewards = _model.Of([.. together.Select(one => one.Text)], int.MaxValue);
            foreach (var (place, one) in together.Index()) one.Result.TrySetResult(rewards[place]);
        }
        catch (Exception failure)
        {
            // Theirs, whoever's call it was that ran.
            foreach (var one in together) one.Result.TrySetException(failure);
        }
    }

    private sealed record Waiting(RewardText Text, CancellationToken Cancellation)
    {
        // Continuations must not run on the device thread.
        public TaskCompletionSource<double> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
