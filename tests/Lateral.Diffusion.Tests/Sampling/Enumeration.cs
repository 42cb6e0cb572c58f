using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>An outcome of denoising, and its exact natural log-probability under a policy.</summary>
/// <param name="Trajectory">its token log-probs are not filled in</param>
internal sealed record Outcome(Trajectory Trajectory, double LogProb)
{
    public string Key => KeyOf(Trajectory);

    public static string KeyOf(Trajectory trajectory) => $"{string.Join(' ', trajectory.Tokens)}|{string.Join(' ', trajectory.RevealStep)}|{string.Join(' ', trajectory.RevealRank)}|{string.Join(' ', trajectory.MaskedDraws)}";
}

/// <summary>
/// Every trajectory that a tiny model can produce, with its probability, by walking all sets and all tokens: the oracle
/// for samplers and likelihoods. The model of each step may differ, as after a policy swap.
/// </summary>
internal sealed class Enumeration(ITokenizer tokenizer, int[] prompt, RolloutSpec spec, Func<int, TransformerModel> modelOfStep)
{
    public List<Outcome> All()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var outcomes = new List<Outcome>();
        var reveal = new int[spec.GenLength];
        Array.Fill(reveal, -1);
        Walk(0, new int[spec.GenLength], reveal, new int[spec.GenLength], 0, outcomes);
        return outcomes;
    }

    private readonly List<int> _masked = [];

    private bool Ordered => SelectionPolicies.ByName(spec.Reveal).Ordered;

    private void Walk(int step, int[] tokens, int[] reveal, int[] rank, double logProb, List<Outcome> outcomes)
    {
        if (SelectionPolicies.Of(spec).Adaptive ? !reveal.Contains(-1) : step == spec.Steps)
        {
            var trajectory = new Trajectory(new(0, 0), [.. prompt], [.. tokens], [.. reveal], [.. new float[tokens.Length]], [.. new float[step]], 0, [new(0, 0, "h")], "")
            {
                RevealRank = Ordered ? [.. rank] : [],
                MaskedDraws = [.. _masked],
            };
            outcomes.Add(new(trajectory, logProb));
            return;
        }

        var distribution = Distribution(step, tokens, reveal, spec.Temperature);
        if (spec.Reveal == "plackett-luce-sampled")
        {
            WalkDraws(step, Candidates(step, reveal), [], tokens, reveal, rank, (distribution, Distribution(step, tokens, reveal, 1)), logProb, outcomes);
            return;
        }

        foreach (var (set, selection) in Sets(step, tokens, reveal, distribution))
            WalkTokens(step, set, 0, tokens, reveal, rank, distribution, logProb + selection, outcomes);
    }

    private void WalkTokens(int step, int[] set, int at, int[] tokens, int[] reveal, int[] rank, double[][] distribution, double logProb, List<Outcome> outcomes)
    {
        if (at == set.Length)
        {
            var factor = spec.Reveal == "low-confidence" ? LowConfidenceFactor(step, set, tokens, reveal, distribution) : 0;
            // A set that these tokens never make the surest.
            if (!double.IsNegativeInfinity(factor)) Walk(step + 1, tokens, reveal, rank, logProb + factor, outcomes);
            return;
        }

        for (var token = 0; token < tokenizer.VocabularySize; token++)
        {
            if (token == tokenizer.MaskId) continue;
            (tokens[set[at]], reveal[set[at]], rank[set[at]]) = (token, step, at);
            WalkTokens(step, set, at + 1, tokens, reveal, rank, distribution, logProb + distribution[set[at]][token], outcomes);
        }

        reveal[set[at]] = -1;
    }

    /// <summary>Every candidate draws a token by q; then every order of as many as a step reveals, by what p thinks of the drawn tokens.</summary>
    private void WalkDraws(int step, int[] candidates, int[] drawn, int[] tokens, int[] reveal, int[] rank, (double[][] LogQ, double[][] LogP) distribution, double logProb, List<Outcome> outcomes)
    {
        if (drawn.Length < candidates.Length)
        {
            foreach (var token in Enumerable.Range(0, tokenizer.VocabularySize).Where(token => token != tokenizer.MaskId))
                WalkDraws(step, candidates, [.. drawn, token], tokens, reveal, rank, distribution, logProb + distribution.LogQ[candidates[drawn.Length]][token], outcomes);
            return;
        }

        var scores = candidates.Select((position, c) => 2 * distribution.LogP[position][drawn[c]]).ToArray();
        var quota = DenoisingPlan.QuotaOf(spec, step);
        foreach (var order in Draws(candidates.Length, quota))
        {
            foreach (var (at, c) in order.Index()) (tokens[candidates[c]], reveal[candidates[c]], rank[candidates[c]]) = (drawn[c], step, at);
            var others = Enumerable.Range(0, candidates.Length).Except(order).Select(c => drawn[c]).ToArray();
            _masked.AddRange(others);
            Walk(step + 1, tokens, reveal, rank, logProb + (others.Length == 0 ? 0 : ByHand(scores, order)), outcomes);
            _masked.RemoveRange(_masked.Count - others.Length, others.Length);
            foreach (var c in order) reveal[candidates[c]] = -1;
        }
    }

    /// <summary>Every order of every set but the last one of a block, which is certain.</summary>
    private static IEnumerable<int[]> Draws(int candidates, int quota) =>
        quota == candidates ? [[.. Enumerable.Range(0, quota)]] : Subsets([.. Enumerable.Range(0, candidates)], quota).SelectMany(Orders);

    private int BlockStart(int step, int[] reveal) => (SelectionPolicies.Of(spec).Adaptive ? Array.IndexOf(reveal, -1) / spec.BlockLength : DenoisingPlan.BlockOf(spec, step)) * spec.BlockLength;

    private int[] Candidates(int step, int[] reveal) => [.. Enumerable.Range(BlockStart(step, reveal), spec.BlockLength).Where(position => reveal[position] < 0)];

    /// <summary>The sets the policy may reveal; every one for the random law, the one it takes for a deterministic law.</summary>
    private IEnumerable<(int[] Set, double LogProb)> Sets(int step, int[] tokens, int[] reveal, double[][] distribution)
    {
        var policy = SelectionPolicies.Of(spec);
        var candidates = Candidates(step, reveal);
        // One block here, so that a step's number is that in its block.
        var quota = DenoisingPlan.QuotaOf(spec, step);
        if (policy.Law == SelectionLaw.LowConfidence)
        {
            // Every set is possible; how likely it is depends on its tokens.
            foreach (var set in Subsets(candidates, quota)) yield return (set, 0);
            yield break;
        }

        if (policy.Law == SelectionLaw.Bernoulli)
        {
            // One block here, so that the last planned step takes what is left.
            if (step == spec.Steps - 1)
            {
                yield return (candidates, 0);
                yield break;
            }

            var u = Scores(step, tokens, reveal, BlockStart(step, reveal)).Select(score => 1 / (1 + (Math.Exp(-score) * (spec.Steps - 1)))).ToArray();
            var none = candidates.Aggregate(1.0, (product, position) => product * (1 - u[position]));
            foreach (var set in Enumerable.Range(1, candidates.Length).SelectMany(count => Subsets(candidates, count)))
                yield return (set, candidates.Sum(position => Math.Log(set.Contains(position) ? u[position] : 1 - u[position])) - Math.Log(1 - none));
            yield break;
        }

        if (policy.Ordered)
        {
            var scored = policy.Law == SelectionLaw.UnmaskingPolicy ? Scores(step, tokens, reveal, BlockStart(step, reveal)) : [.. distribution.Select(logp => logp.Max() / PlackettLuce.Temperature)];
            var scores = candidates.Select(position => scored[position]).ToArray();
            foreach (var draw in Draws(candidates.Length, quota)) yield return ([.. draw.Select(c => candidates[c])], quota == candidates.Length ? 0 : ByHand(scores, draw));
            yield break;
        }

        if (policy.Draws)
        {
            var sets = Subsets(candidates, quota).ToList();
            foreach (var set in sets) yield return (set, -Math.Log(sets.Count));
            yield break;
        }

        var certainty = candidates.Select(position => (float)Certain(policy.Asks, distribution[position])).ToArray();
        var chosen = new int[Math.Min(candidates.Length, Math.Max(quota, policy.Dares(new(certainty, []))))];
        var logProb = policy.Select(new(certainty, []), chosen);
        yield return ([.. chosen.Select(index => candidates[index])], logProb);
    }

    private static double Certain(Certainty asked, double[] logp)
    {
        var p = logp.Select(Math.Exp).OrderDescending().ToArray();
        return asked switch
        {
            Certainty.NegativeEntropy => logp.Sum(one => Math.Exp(one) * one),
            Certainty.Margin => p[0] - p[1],
            _ => p[0],
        };
    }

    /// <summary>Sum over all draws of the others that are less sure than every token of the set.</summary>
    private double LowConfidenceFactor(int step, int[] set, int[] tokens, int[] reveal, double[][] distribution)
    {
        var least = set.Min(position => distribution[position][tokens[position]]);
        var first = DenoisingPlan.BlockOf(spec, step) * spec.BlockLength;
        return Enumerable.Range(first, spec.BlockLength).Where(position => reveal[position] < 0)
            .Sum(position => Math.Log(distribution[position].Where((logp, token) => token != tokenizer.MaskId && logp < least).Sum(Math.Exp)));
    }

    private static IEnumerable<int[]> Orders(int[] items) =>
        items.Length < 2 ? [items] : items.SelectMany(first => Orders([.. items.Where(item => item != first)]).Select(rest => (int[])[first, .. rest]));

    /// <summary>Each draw in proportion to the exponentials that are left.</summary>
    private static double ByHand(double[] scores, int[] draw)
    {
        var (left, logProb) = (scores.Select(Math.Exp).ToArray(), 0.0);
        foreach (var candidate in draw)
        {
            logProb += Math.Log(left[candidate] / left.Sum());
            left[candidate] = 0;
        }

        return logProb;
    }

    private static IEnumerable<int[]> Subsets(int[] items, int size)
    {
        if (size == 0) return [[]];
        if (items.Length < size) return [];
        return Subsets(items[1..], size - 1).Select(rest => (int[])[items[0], .. rest]).Concat(Subsets(items[1..], size));
    }

    /// <summary>[L][V] natural log-probs at every generated position of a state.</summary>
    private double[][] Distribution(int step, int[] tokens, int[] reveal, double temperature)
    {
        using var scope = NewDisposeScope();
        var model = modelOfStep(step);
        var hidden_LD = model.HiddenRows(Canvas(tokens, reveal), arange(prompt.Length, prompt.Length + tokens.Length, ScalarType.Int64));
        var logp_LV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, hidden_LD), temperature == 1 ? null : tensor(1 / temperature, ScalarType.Float32)).to(ScalarType.Float64);
        var flat = logp_LV.data<double>().ToArray();
        return [.. flat.Chunk(tokenizer.VocabularySize)];
    }

    /// <summary>[L] scores of the model's unmasking policy.</summary>
    private double[] Scores(int step, int[] tokens, int[] reveal, int first)
    {
        using var scope = NewDisposeScope();
        var (model, ids_1L) = (modelOfStep(step), Canvas(tokens, reveal));
        var inBlock = Enumerable.Range(0, (int)ids_1L.shape[1]).Select(i => i - prompt.Length >= first && i - prompt.Length < first + spec.BlockLength).ToArray();
        var state = new UnmaskingState(ids_1L.eq(tensor((long)tokenizer.MaskId)), tensor(inBlock, 1, inBlock.Length), tensor([(float)(SelectionPolicies.Of(spec).Adaptive ? (double)reveal.Count(at => at >= 0) / spec.GenLength : (double)step / spec.Steps)]));
        var scores = UnmaskingPolicy.Scores(model, model.Hidden(ids_1L), state, null).data<float>().ToArray();
        return [.. scores[prompt.Length..].Select(score => (double)score)];
    }

    private Tensor Canvas(int[] tokens, int[] reveal)
    {
        var ids = prompt.Select(id => (long)id).Concat(tokens.Select((token, i) => reveal[i] < 0 ? (long)tokenizer.MaskId : token)).ToArray();
        return tensor(ids, 1, ids.Length);
    }
}
