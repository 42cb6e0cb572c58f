using Lateral.Chaos.Deployment;
using Lateral.Chaos.Watching;

namespace Lateral.Chaos.Faults;

/// <summary>
/// Does the planned faults one after the other, the next one when the work that the last one hit has resumed: so that each recovery
/// is measured by itself and every fault has its recovery.
/// </summary>
internal sealed class Nemesis(Cluster cluster, JournalWatch journal, FaultTools tools, Func<TimeSpan> clock, Action<string> say)
{
    /// <summary>After that the part counts as not resumed.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan StaleReport = TimeSpan.FromSeconds(6);

    /// <summary>A failpoint is met within a few steps.</summary>
    private static readonly TimeSpan Happening = TimeSpan.FromSeconds(45);

    public async Task<IReadOnlyList<Injected>> RunAsync(IEnumerable<Fault> plan, TimeSpan until, CancellationToken cancellation)
    {
        var done = new List<Injected>();
        foreach (var fault in plan)
        {
            if (clock() + fault.Pause + fault.Hold >= until) break;
            await Task.Delay(fault.Pause, cancellation);
            var one = await InjectAsync(fault, cancellation);
            done.Add(one);
            say(one switch
            {
                { Skipped: { } reason } => $"{one.Began:mm\\:ss} {fault}: skipped, {reason}",
                { Recovery: { } seconds } => $"{one.Began:mm\\:ss} {fault}: resumed after {seconds:0.0} s",
                _ => $"{one.Began:mm\\:ss} {fault}: NOT resumed within {Deadline.TotalSeconds:0} s",
            });
        }

        return done;
    }

    private async Task<Injected> InjectAsync(Fault fault, CancellationToken cancellation)
    {
        var before = journal.Now;
        var began = clock();
        TimeSpan? died = null;
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                if (await tools.KillAsync(fault.Part, cancellation) is null) return Skip("it did not run");
                died = clock();
                before = await journal.SettledAsync(cancellation);
                break;
            case FaultKind.Failpoint or FaultKind.StaleCommit:
                var place = fault.Kind == FaultKind.StaleCommit ? "stale-commit" : fault.Detail;
                cluster.Failpoints[fault.Part].Arm(place, "kill");
                if (!await tools.HappensAsync(fault.Part, place, Happening, cancellation)) return Skip("the place was not reached");
                died = began = clock();
                before = await journal.SettledAsync(cancellation);
                break;
            case FaultKind.Partition or FaultKind.OneWayPartition:
                if (cluster.Network is not { } network) return Skip("there are no namespaces");
                await (fault.Kind == FaultKind.Partition ? network.IsolateAsync(fault.Part) : network.MuteAsync(fault.Part));
                await Task.Delay(fault.Hold, cancellation);
                // What goes on by itself during the fault, or was on its way when it came, is no return of the part.
                before = journal.Now;
                await (fault.Kind == FaultKind.Partition ? network.ReconnectAsync(fault.Part) : network.UnmuteAsync(fault.Part));
                break;
            case FaultKind.Stop:
                await tools.StopAsync(fault.Part, fault.Hold, cancellation);
                before = journal.Now;
                break;
            case FaultKind.DatabaseKill or FaultKind.DatabaseOutage:
                await cluster.Database.KillAsync();
                await Task.Delay(fault.Hold, cancellation);
                before = journal.Now;
                await cluster.Database.StartAgainAsync();
                break;
            case FaultKind.DiskFull:
                if (cluster.Disk is not { } disk) return Skip("there is no small disk");
                disk.Fill();
                await Task.Delay(fault.Hold, cancellation);
                before = journal.Now;
                disk.Free();
                break;
            case FaultKind.BadCheckpoint:
                if (!tools.TurnBitOfNewestCheckpoint()) return Skip("there was no checkpoint");
                await tools.KillAsync(fault.Part, cancellation);
                break;
            case FaultKind.BadPolicy:
                if (!tools.TurnBitOfNewestPolicy(fault.Part)) return Skip("there was no policy");
                await tools.KillAsync(fault.Part, cancellation);
                break;
            case FaultKind.ClockJump:
                if (Cluster.FakeTime is null) return Skip("libfaketime is not installed");
                await cluster.MoveClockAsync(fault.Part, TimeSpan.FromHours(fault.Detail == "+1h" ? 1 : -1));
                await Task.Delay(fault.Hold, cancellation);
                await cluster.MoveClockAsync(fault.Part, TimeSpan.Zero);
                break;
            case FaultKind.PoisonReward:
                return await PoisonAsync(fault, before, cancellation);
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, "no such fault");
        }

        var over = died ?? clock();
        // Before the cause is gone the part may have gone on by others: then nothing was lost.
        var resumed = await journal.UntilAsync(Resumption.Of(fault.Part, before), Deadline, cancellation);
        // The report that comes too late does so seconds later, from a process that the next fault must not end before.
        if (fault.Kind == FaultKind.StaleCommit) await Task.Delay(StaleReport, cancellation);
        return new Injected(fault, began, over, resumed);

        Injected Skip(string reason) => new(fault, began, clock(), null, reason);
    }

    /// <summary>One sibling of a group that is not issued yet; its group has to be scored in the end all the same.</summary>
    private async Task<Injected> PoisonAsync(Fault fault, Seen before, CancellationToken cancellation)
    {
        var group = before.Issued + SoakConfiguration.GroupsPerStep;
        var place = $"reward-{group}-{before.Issued % SoakConfiguration.Siblings}";
        cluster.Failpoints[fault.Part].Arm(place, fault.Detail);
        if (!await tools.HappensAsync(fault.Part, place, Happening, cancellation)) return new Injected(fault, clock(), clock(), null, "the rollout was not scored in time");
        var began = clock();
        return new Injected(fault, began, began, await journal.UntilAsync(now => now.Scored.Contains(group) && now.Steps > (int)(group / SoakConfiguration.GroupsPerStep), Deadline, cancellation));
    }
}
