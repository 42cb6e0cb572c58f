using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <param name="FirstUnit">where its plan's units begin in the table</param>
public readonly record struct PlacedView(StateView View, int FirstUnit);

/// <summary>A value that a loss is about.</summary>
/// <param name="Rollout">index of its trajectory in the batch</param>
/// <param name="Group">index of that trajectory's group</param>
/// <param name="Age">versions between the policy that sampled it and the one that the step begins with</param>
/// <param name="Proximal">its value under the policy that the step began with; NaN = that is the current one</param>
public readonly record struct Unit(int Rollout, float Behaviour, float Weight, float Advantage, int Age, int Group = 0, float Proximal = float.NaN);

/// <summary>The units of a shard, and the views that answer for them.</summary>
public sealed class UnitTable
{
    private readonly List<Unit> _units = [];
    private readonly List<PlacedView> _views = [];

    public IReadOnlyList<Unit> Units => _units;

    public IReadOnlyList<PlacedView> Views => _views;

    /// <param name="rollout">index of the trajectory in its batch</param>
    /// <param name="version">that the learner's step begins with</param>
    /// <param name="group">index of the trajectory's group</param>
    public void Add(int rollout, Trajectory trajectory, RolloutAdvantage advantage, LikelihoodPlan plan, int version, int group = 0)
    {
        var first = _units.Count;
        foreach (var view in plan.Views) _views.Add(new(view, first));
        foreach (var unit in plan.Units)
            _units.Add(new(rollout, unit.Behaviour, unit.Weight, AdvantageOf(unit, advantage), version - VersionAt(trajectory.Policies, unit.Step), group));
    }

    /// <param name="proximal">[U] values under the policy that the step began with</param>
    public void SetProximal(float[] proximal)
    {
        for (var i = 0; i < _units.Count; i++) _units[i] = _units[i] with { Proximal = proximal[i] };
    }

    /// <summary>A step's unit is the sum over its tokens, a completion's over all of them.</summary>
    private static float AdvantageOf(PlannedUnit unit, RolloutAdvantage advantage) =>
        unit.Position >= 0 ? advantage.OfToken(unit.Position) : unit.Step >= 0 ? advantage.OfStep(unit.Step) : advantage.OfCompletion;

    private static int VersionAt(ImmutableArray<PolicySpan> policies, int step)
    {
        if (step < 0) return policies[^1].Version;
        var version = policies[0].Version;
        foreach (var span in policies)
        {
            if (span.FirstStep <= step) version = span.Version;
        }

        return version;
    }
}
