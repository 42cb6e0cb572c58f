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

    public static string KeyOf(Trajectory trajectory) => $"{string.Join(' ', trajectory.Tokens)}|{string.Join(' ', trajectory.RevealStep)}|{string.Join(' ', trajectory.RevealRank)}";
}

/// <summary>
/// Every trajectory that a tiny model can produce, with its probability, by walking all sets and all tokens: the oracle
/// for samplers and likelihoods. The model of each step may differ, as after a policy swap.
/// </summary>
internal sealed class Enumeration(ITokenizer tokenizer, int[] prompt, RolloutSpec spec, Func<int, LladaModel> modelOfStep)
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

    private bool Ordered => SelectionPolicies.ByName(spec.Reveal).Ordered;

    private void Walk(int step, int[] tokens, int[] reveal, int[] rank, double logProb, List<Outcome> outcomes)
    {
        if (SelectionPolicies.Of(spec).Adaptive ? !reveal.Contains(-1) : step == spec.Steps)
        {
            var trajectory = new Trajectory(new(0, 0), [.. prompt], [.. tokens], [.. reveal], [.. new float[tokens.Length]], [.. new float[step]], 0, [new(0, 0, "h")], "")
            {
                RevealRank = Ordered ? [.. rank] : [],
            };
            outcomes.Add(new(trajectory, logProb));
            return;
        }

        var distribution = Distribution(step, tokens, reveal);
        foreach (var (set, selection) in Sets(step, reveal, distribution))
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

    /// <summary>The sets the policy may reveal; every one for the random law, the one it takes for a deterministic law.</summary>
    private IEnumerable<(int[] Set, double LogProb)> Sets(int step, int[] reveal, double[][] distribution)
    {
        var policy = SelectionPolicies.Of(spec);
        var first = (policy.Adaptive ? Array.IndexOf(reveal, -1) / spec.BlockLength : DenoisingPlan.BlockOf(spec, step)) * spec.BlockLength;
        var candidates = Enumerable.Range(first, spec.BlockLength).Where(position => reveal[position] < 0).ToArray();
        // One block here, so that a step's number is that in its block.
        var quota = DenoisingPlan.QuotaOf(spec, step);
        if (policy.Law == SelectionLaw.LowConfidence)
        {
            // Every set is possible; how likely it is depends on its tokens.
            foreach (var set in Subsets(candidates, quota)) yield return (set, 0);
            yield break;
        }

        if (policy.Ordered)
        {
            // Every order of every set but the last one of a block, which is certain.
            var scores = candidates.Select(position => distribution[position].Max() / PlackettLuce.Temperature).ToArray();
            IEnumerable<int[]> draws = quota == candidates.Length ? [[.. Enumerable.Range(0, quota)]] : Subsets([.. Enumerable.Range(0, candidates.Length)], quota).SelectMany(Orders);
            foreach (var draw in draws) yield return ([.. draw.Select(c => candidates[c])], quota == candidates.Length ? 0 : ByHand(scores, draw));
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

    /// <summary>[L][V] natural log-probs at every generated position of a state, at temperature 1.</summary>
    private double[][] Distribution(int step, int[] tokens, int[] reveal)
    {
        using var scope = NewDisposeScope();
        var model = modelOfStep(step);
        var ids = prompt.Select(id => (long)id).Concat(tokens.Select((token, i) => reveal[i] < 0 ? (long)tokenizer.MaskId : token)).ToArray();
        var hidden_LD = model.Hidden(tensor(ids, 1, ids.Length)).narrow(1, prompt.Length, tokens.Length).squeeze(0);
        var logp_LV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, hidden_LD), null).to(ScalarType.Float64);
        var flat = logp_LV.data<double>().ToArray();
        return [.. flat.Chunk(tokenizer.VocabularySize)];
    }
}
