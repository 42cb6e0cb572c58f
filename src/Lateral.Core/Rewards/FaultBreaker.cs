using System.Collections.Immutable;

namespace Lateral.Core.Rewards;

/// <summary>
/// Opens where a reward pool's infrastructure fails rather than a rollout: when more than <see cref="Share"/> of the last
/// <see cref="Window"/> outcomes could be faults. A single poison rollout, tried again and quarantined, stays far below.
/// </summary>
/// <remarks>Invariant: open until a probe is answered; an open one counts nothing, so that an outage costs no group its tries.</remarks>
public sealed record FaultBreaker
{
    /// <summary>Outcomes looked back on.</summary>
    public const int Window = 50;

    /// <summary>Of the window, infrastructure faults beyond which it opens; fewer outcomes than a window need as many faults.</summary>
    public const double Share = 0.2;

    /// <summary>The last outcomes, oldest first; true = an infrastructure fault.</summary>
    private ImmutableList<bool> Faults { get; init; } = [];

    /// <summary>Why it is open; null = closed.</summary>
    public string? Open { get; init; }

    /// <summary>The outcomes of one call.</summary>
    public FaultBreaker Note(IEnumerable<RewardOutcome> outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        if (Open is not null) return this;
        var (faults, last) = (Faults, "");
        foreach (var outcome in outcomes)
        {
            if (outcome is RewardOutcome.InfraFault fault) last = fault.Kind;
            faults = faults.Add(outcome is RewardOutcome.InfraFault);
        }

        if (faults.Count > Window) faults = faults.RemoveRange(0, faults.Count - Window);
        var failed = faults.Count(fault => fault);
        var open = last.Length > 0 && failed > Share * Window ? $"{failed} of its last {faults.Count} answers were infrastructure faults: {last}" : null;
        return this with { Faults = faults, Open = open };
    }

    /// <summary>A probe's outcome: anything but an infrastructure fault closes it, with nothing remembered.</summary>
    public FaultBreaker Probe(RewardOutcome outcome) => Open is null || outcome is RewardOutcome.InfraFault ? this : new FaultBreaker();
}
