using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace Lateral.Diffusion.Tensors;

/// <summary>
/// The one thread on which an engine touches torch. Dispose scopes and the autograd switch belong to a thread and a tensor outside a scope
/// can be collected while native code reads it, so work runs here, whole, inside a scope, and callers only await its result.
/// </summary>
/// <remarks>
/// Work items run in the order of <see cref="Run{T}"/>; results may not be tensors (they would outlive their scope): engines keep tensors
/// in fields, detached from the scope, and hand out arrays.
/// </remarks>
public sealed class DeviceThread : IDisposable
{
    private readonly BlockingCollection<WorkItem> queue = [];
    private readonly Thread thread;
    private readonly TimeSpan stopDeadline;

    /// <param name="name">Shown in debuggers and in messages, for instance `sampler cpu`.</param>
    /// <param name="stopDeadline">How long <see cref="Dispose"/> waits for the running item; 30 s when null.</param>
    public DeviceThread(string name, TimeSpan? stopDeadline = null)
    {
        this.stopDeadline = stopDeadline ?? TimeSpan.FromSeconds(30);
        thread = new Thread(Work) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs <paramref name="work"/> on the device thread inside a dispose scope; its exception becomes the task's.</summary>
    /// <exception cref="ObjectDisposedException">Through the task: the thread stopped before the work began.</exception>
    public Task<T> Run<T>(Func<T> work, Autograd autograd = Autograd.Off)
    {
        if (typeof(torch.Tensor).IsAssignableFrom(typeof(T)))
            throw new ArgumentException("a tensor cannot leave the device thread: return an array, or keep the tensor in the engine", nameof(work));
        var item = new WorkItem<T>(work, autograd);
        try
        {
            queue.Add(item);
        }
        catch (InvalidOperationException)
        {
            item.Refuse(thread.Name!);
        }

        return item.Result;
    }

    /// <inheritdoc cref="Run{T}"/>
    public Task Run(Action work, Autograd autograd = Autograd.Off) =>
        Run(() =>
        {
            work();
            return true;
        }, autograd);

    /// <summary>Refuses further work, fails what is queued, waits for the running item.</summary>
    /// <exception cref="TimeoutException">The running item did not end in time.</exception>
    public void Dispose()
    {
        queue.CompleteAdding();
        while (queue.TryTake(out var item)) item.Refuse(thread.Name!);
        if (thread == Thread.CurrentThread) return;
        if (!thread.Join(stopDeadline))
            throw new TimeoutException($"device thread '{thread.Name}' is still busy {stopDeadline.TotalSeconds:0} s after it was told to stop");
        queue.Dispose();
    }

    private void Work()
    {
        foreach (var item in queue.GetConsumingEnumerable()) item.Execute();
    }

    private abstract class WorkItem
    {
        public abstract void Execute();

        public abstract void Refuse(string threadName);
    }

    private sealed class WorkItem<T>(Func<T> work, Autograd autograd) : WorkItem
    {
        // Continuations must not run on the device thread: they would hold it.
        private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Result => completion.Task;

        public override void Execute()
        {
            try
            {
                completion.SetResult(InScope());
            }
            catch (Exception error)
            {
                completion.SetException(error);
            }
        }

        public override void Refuse(string threadName) => completion.TrySetException(new ObjectDisposedException($"device thread '{threadName}'"));

        // Not inlined, so that the scope's disposal is certain to precede the task's completion.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private T InScope()
        {
            using var scope = torch.NewDisposeScope();
            using var guard = autograd == Autograd.Off ? torch.no_grad() : torch.enable_grad();
            return work();
        }
    }
}
