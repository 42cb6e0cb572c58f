using Lateral.Core.Policies;
using Lateral.Core.Rollouts;

namespace Lateral.Node.Evaluation;

/// <summary>A sampler of its own for work outside the ledger: evaluations and the sample command. One call at a time.</summary>
/// <param name="stall">deadline between two deliveries: a sampler that hangs ends the call, not the run</param>
public sealed class EvaluationSampler(Func<ISampler> create, TimeSpan stall) : IAsyncDisposable
{
    private ISampler? _sampler;
    private string? _loaded;

    /// <summary>Every sibling of every task under the given policy, in no particular order.</summary>
    /// <exception cref="TimeoutException">nothing was delivered within the deadline</exception>
    public async Task<IReadOnlyList<Trajectory>> SampleAsync(PolicyManifest policy, string path, IReadOnlyCollection<SampleTask> tasks, CancellationToken cancellation)
    {
        try
        {
            var sampler = _sampler ??= create();
            if (_loaded != policy.Hash) await sampler.SwapAsync(policy, path).WaitAsync(stall, cancellation);
            _loaded = policy.Hash;
            foreach (var task in tasks) sampler.Submit(task);
            return await CollectAsync(sampler, tasks.Sum(task => task.Siblings.Length), cancellation);
        }
        catch
        {
            // Its queue may still hold this call's work, so the next call starts with a fresh one.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        var sampler = _sampler;
        (_sampler, _loaded) = (null, null);
        if (sampler is not null) await sampler.DisposeAsync();
    }

    private async Task<IReadOnlyList<Trajectory>> CollectAsync(ISampler sampler, int expected, CancellationToken cancellation)
    {
        var collected = new List<Trajectory>(expected);
        while (collected.Count < expected)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(stall);
            try
            {
                collected.AddRange(await sampler.NextFinishedAsync(deadline.Token));
            }
            catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"the evaluation's sampler delivered nothing for {stall.TotalSeconds:0}s; {collected.Count} of {expected} rollouts were done", late);
            }
        }

        return collected;
    }
}
