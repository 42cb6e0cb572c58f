namespace Lateral.Simulation.Tests.Machine;

/// <summary>Where others have a thread pool: what is queued runs at once, on the thread that queued it.</summary>
internal sealed class StageThreads : TaskScheduler
{
    public static StageThreads Instance { get; } = new();

    protected override void QueueTask(Task task) => TryExecuteTask(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
