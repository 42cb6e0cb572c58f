using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>
/// What the units of one rollout are weighed by: one number for all of them, or one for each token.
/// Example: <c>.75</c>, or by token <c>[.2, -.1, -.1, .4]</c>, whose steps [0, 1, 1, 0] then have .3 and -.1.
/// </summary>
public sealed class RolloutAdvantage
{
    private readonly float _value;
    private readonly float[]? _byToken;
    private readonly float[] _byStep = [];
    private readonly bool _hasSignal;

    public RolloutAdvantage(float value) => (_value, _hasSignal) = (value, value != 0);

    /// <param name="byToken">[L] of each position of the completion; without effect where nothing was revealed</param>
    public RolloutAdvantage(Trajectory trajectory, float[] byToken)
    {
        (_byToken, _byStep) = (byToken, new float[trajectory.Steps]);
        var tokens = new int[trajectory.Steps];
        var sum = 0f;
        foreach (var (position, step) in trajectory.RevealStep.Index())
        {
            if (step < 0) continue;
            _byStep[step] += byToken[position];
            tokens[step]++;
            sum += byToken[position];
            _hasSignal |= byToken[position] != 0;
        }

        for (var step = 0; step < tokens.Length; step++) _byStep[step] /= Math.Max(1, tokens[step]);
        _value = sum / Math.Max(1, tokens.Sum());
    }

    /// <summary>Of a rollout that is no part of its batch: it is not even counted.</summary>
    public static RolloutAdvantage LeftOut { get; } = new(0f);

    /// <summary>Whether any unit of the rollout is pushed anywhere.</summary>
    public bool HasSignal => _hasSignal;

    /// <summary>Of the whole completion: the mean over its tokens.</summary>
    public float OfCompletion => _value;

    public float OfToken(int position) => _byToken is null ? _value : _byToken[position];

    /// <summary>The mean over the tokens that the denoising step revealed.</summary>
    public float OfStep(int step) => _byToken is null ? _value : _byStep[step];

    public static implicit operator RolloutAdvantage(float value) => new(value);
}
