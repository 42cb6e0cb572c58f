using System.Globalization;
using Lateral.Chaos.Watching;

namespace Lateral.Chaos.Faults;

/// <summary>What is done to a run.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL from outside.</summary>
    Kill,

    /// <summary>The learner kills itself at a place where a crash is worst.</summary>
    Failpoint,

    /// <summary>A learner's report arrives after another learner has got the run.</summary>
    StaleCommit,

    /// <summary>Nobody hears the node and it hears nobody.</summary>
    Partition,

    /// <summary>Nobody hears the node, which hears the others.</summary>
    OneWayPartition,

    /// <summary>SIGSTOP, later SIGCONT.</summary>
    Stop,

    DatabaseKill,

    DatabaseOutage,

    DiskFull,

    /// <summary>A bit of the newest checkpoint turns over, and the learner has to restore.</summary>
    BadCheckpoint,

    /// <summary>A bit of a downloaded policy turns over, and the sampler starts again.</summary>
    BadPolicy,

    ClockJump,

    /// <summary>A verifier throws, hangs or returns NaN.</summary>
    PoisonReward,
}

/// <summary>One planned fault.</summary>
/// <param name="Part">the node, or <see cref="Resumption.Database"/></param>
/// <param name="Detail">failpoint, poison or jump; empty where the kind says it all</param>
/// <param name="Hold">how long its cause lasts; zero for what is over at once</param>
/// <param name="Pause">quiet time before it</param>
internal sealed record Fault(FaultKind Kind, string Part, string Detail, TimeSpan Hold, TimeSpan Pause)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Kind} {Part}{(Detail.Length > 0 ? $" {Detail}" : "")}{(Hold > TimeSpan.Zero ? $" for {Hold.TotalSeconds:0} s" : "")}");
}

/// <summary>A fault that was tried.</summary>
/// <param name="Began">when it happened</param>
/// <param name="Over">when its cause was gone</param>
/// <param name="Resumed">when the part's work went on; null = not within the deadline</param>
/// <param name="Skipped">why it could not be done; null = it was</param>
internal sealed record Injected(Fault Fault, TimeSpan Began, TimeSpan Over, TimeSpan? Resumed, string? Skipped = null)
{
    /// <summary>Seconds without the part's work once it could go on.</summary>
    public double? Recovery => Resumed is { } resumed ? Math.Max(0, (resumed - Over).TotalSeconds) : null;
}
