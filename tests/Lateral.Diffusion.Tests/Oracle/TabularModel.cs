using Lateral.Core;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// An any-order model small enough to hold its whole joint distribution: log p(y) of every completion, and by summing it the exact conditional of any
/// token given any set of visible ones. What an estimator claims to estimate is known here.
/// </summary>
internal sealed class TabularModel
{
    private readonly double[] _logJoint;
    private readonly Dictionary<string, double[]> _conditionals = new(StringComparer.Ordinal);

    /// <param name="scale">standard deviation of the joint's logits: 0 = uniform</param>
    public TabularModel(int length, int vocabulary, double scale, ulong seed = 3)
    {
        (Length, Vocabulary) = (length, vocabulary);
        var random = new CounterRandom(seed);
        var count = (int)Math.Pow(vocabulary, length);
        // Pairs of positions that depend on one another, beside noise: neighbours matter more than the rest.
        var pair = new double[length, vocabulary, vocabulary];
        for (var i = 0; i < length; i++)
            for (var a = 0; a < vocabulary; a++)
                for (var b = 0; b < vocabulary; b++) pair[i, a, b] = random.Normal(RandomStream.Noise, i, a, b);
        var logits = new double[count];
        for (var y = 0; y < count; y++)
        {
            var tokens = TokensOf(y);
            for (var i = 0; i < length; i++) logits[y] += scale * pair[i, tokens[i], tokens[(i + 1) % length]];
            logits[y] += scale / 2 * random.Normal(RandomStream.Initialization, y);
        }

        var norm = LogSum(logits);
        _logJoint = Array.ConvertAll(logits, logit => logit - norm);
    }

    public int Length { get; }

    public int Vocabulary { get; }

    /// <summary>Every completion with its exact log-probability.</summary>
    public IEnumerable<(int[] Tokens, double LogProb)> All() => _logJoint.Select((logProb, y) => (TokensOf(y), logProb));

    public double LogProb(int[] tokens) => _logJoint[IndexOf(tokens)];

    /// <summary>A completion by its probability.</summary>
    public int[] Sample(CounterRandom random, int index)
    {
        var u = random.Uniform(RandomStream.Token, index);
        for (var y = 0; y < _logJoint.Length; y++)
        {
            u -= Math.Exp(_logJoint[y]);
            if (u < 0) return TokensOf(y);
        }

        return TokensOf(_logJoint.Length - 1);
    }

    /// <summary>log p(token at the position | the visible tokens of a completion)</summary>
    /// <param name="hidden">[Length]</param>
    public double Conditional(int[] tokens, ReadOnlySpan<bool> hidden, int position)
    {
        var seen = new char[Length];
        for (var i = 0; i < Length; i++) seen[i] = hidden[i] ? '?' : (char)('0' + tokens[i]);
        var key = $"{new string(seen)}@{position}";
        if (!_conditionals.TryGetValue(key, out var logProbs))
        {
            var sums = new double[Vocabulary];
            for (var y = 0; y < _logJoint.Length; y++)
            {
                var other = TokensOf(y);
                var consistent = true;
                for (var i = 0; i < Length && consistent; i++) consistent = seen[i] == '?' || seen[i] == (char)('0' + other[i]);
                if (consistent) sums[other[position]] += Math.Exp(_logJoint[y]);
            }

            var total = sums.Sum();
            _conditionals[key] = logProbs = Array.ConvertAll(sums, sum => Math.Log(sum / total));
        }

        return logProbs[tokens[position]];
    }

    /// <summary>A completion as a trajectory that revealed so many positions a step, in a random order.</summary>
    public Trajectory Denoised(int[] tokens, int each, long group, CounterRandom random)
    {
        var order = Enumerable.Range(0, Length).OrderBy(position => random.Uniform(RandomStream.Selection, group, position: position)).ToArray();
        var step = new int[Length];
        for (var i = 0; i < Length; i++) step[order[i]] = i / each;
        return new(new(group, 0), [], [.. tokens], [.. step], [.. new float[Length]], [.. new float[(Length + each - 1) / each]], 0, [new(0, 0, "h")], "");
    }

    /// <summary>The values of a plan that adds its answers up, under this model.</summary>
    public double[] Values(LikelihoodPlan plan)
    {
        var values = new double[plan.Units.Length];
        foreach (var view in plan.Views)
        {
            int[] tokens = [.. view.Trajectory.Tokens];
            foreach (var question in view.Questions) values[question.Unit] += question.Coefficient * Conditional(tokens, Seen(view, question.Position), question.Position);
        }

        return values;
    }

    /// <summary>[Length] what is hidden from whoever answers for a position: with block-causal attention also all later blocks, and nothing of the earlier ones.</summary>
    private static bool[] Seen(StateView view, int position)
    {
        if (view.CausalBlock == 0) return view.Hidden;
        var block = position / view.CausalBlock;
        return [.. view.Hidden.Select((hidden, i) => i / view.CausalBlock > block || (hidden && i / view.CausalBlock == block))];
    }

    private int[] TokensOf(int index)
    {
        var tokens = new int[Length];
        for (var i = 0; i < Length; i++) (index, tokens[i]) = (index / Vocabulary, index % Vocabulary);
        return tokens;
    }

    private int IndexOf(int[] tokens) => tokens.Reverse().Aggregate(0, (index, token) => (index * Vocabulary) + token);

    private static double LogSum(double[] logits)
    {
        var most = logits.Max();
        return most + Math.Log(logits.Sum(logit => Math.Exp(logit - most)));
    }
}
