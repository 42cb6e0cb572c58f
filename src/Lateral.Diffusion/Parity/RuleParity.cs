using System.Globalization;
using System.Text.Json;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>What is decided from given numbers: reveal rules on fixed logits, Dream's quotas and token proposals, the Monte Carlo likelihood on recorded masks.</summary>
internal static class RuleParity
{
    private const double Tolerance = 1e-5;

    public static IEnumerable<ParityResult> Run(ParityFolder folder)
    {
        if (folder.Json("case-selection-rules") is { } rules)
        {
            foreach (var result in Rules(folder, rules)) yield return result;
        }

        if (folder.Json("case-quota") is { } quotas) yield return Quotas(folder, quotas);
        if (folder.Has("case-sample-tokens.safetensors"))
        {
            foreach (var result in Proposals(folder)) yield return result;
        }

        if (folder.Json("case-loglikelihood") is { } likelihood) yield return Likelihood(folder, likelihood);
    }

    private static List<ParityResult> Rules(ParityFolder folder, JsonElement fixture)
    {
        using var scope = NewDisposeScope();
        using var file = folder.Tensors("case-selection-rules");
        var results = new List<ParityResult>();
        foreach (var one in fixture.GetProperty("cases").EnumerateObject())
        {
            var (ids_1K, logits_1KV) = (file.Read($"x.{one.Name}"), file.Read($"logits.{one.Name}"));
            var masked_1K = ids_1K.eq(zeros_like(ids_1K).Plus((long)fixture.GetProperty("mask_id").GetInt32()));
            var confidence_1K = logits_1KV.softmax(-1).amax([-1]);
            var wrong = one.Value.GetProperty("selected").EnumerateObject().Where(selected => !Select(selected.Name, logits_1KV, confidence_1K, masked_1K).SequenceEqual(selected.Value.EnumerateArray().Select(at => at.GetInt32()))).Select(selected => selected.Name).ToList();
            results.Add(new($"{folder.Name}/case-selection-rules {one.Name}", wrong.Count, wrong.Count == 0 ? "" : $"{string.Join(", ", wrong)} selects other positions"));
        }

        return results;
    }

    /// <param name="name">a rule with its numbers, as <c>factor0.5</c></param>
    private static IEnumerable<int> Select(string name, Tensor logits_1KV, Tensor confidence_1K, Tensor masked_1K)
    {
        var digits = name.IndexOfAny([.. "0123456789"]);
        double[] numbers = [.. name[digits..].Split('_').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        DecodingRule? rule = name[..digits] switch
        {
            "topk" => DecodingRule.Share,
            "threshold" or "dinfer_threshold" => new ConfidenceThreshold(numbers[0]),
            "factor" => new ConfidenceFactor(numbers[0]),
            "hierarchy" => new ConfidenceByRun(numbers[0], numbers[1]),
            "eb" => new EntropyBound(numbers[0]),
            _ => null,
        };
        if (rule is null) return [];
        var chosen_1K = rule.Choose(rule.AsksEntropy ? OutputDistribution.Entropy(logits_1KV) : confidence_1K, masked_1K, HostTensor.Of([(long)numbers[0]]));
        return [.. chosen_1K.data<bool>().ToArray().Index().Where(position => position.Item).Select(position => position.Index)];
    }

    private static ParityResult Quotas(ParityFolder folder, JsonElement fixture)
    {
        var wrong = new List<string>();
        foreach (var one in fixture.GetProperty("quotas").EnumerateObject())
        {
            var (length, steps) = one.Name.Split('/') is [var left, var right] ? (int.Parse(left, CultureInfo.InvariantCulture), int.Parse(right, CultureInfo.InvariantCulture)) : (0, 1);
            var (times, found) = (DreamDecoder.Times(steps, fixture.GetProperty("eps").GetDouble()), new List<int>());
            for (var step = 0; step < steps; step++) found.Add(DreamDecoder.Quota(times, step, length - found.Sum()));
            if (!found.SequenceEqual(one.Value.EnumerateArray().Select(quota => quota.GetInt32()))) wrong.Add(one.Name);
        }

        return new($"{folder.Name}/case-quota", wrong.Count, wrong.Count == 0 ? "" : $"{string.Join(", ", wrong)} reveals other numbers");
    }

    private static List<ParityResult> Proposals(ParityFolder folder)
    {
        using var scope = NewDisposeScope();
        using var file = folder.Tensors("case-sample-tokens");
        var logits_1KV = file.Read("logits").unsqueeze(0);
        return [.. file.Tensors.Select(entry => entry.Name).Where(name => name.StartsWith("x0.", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name => name["x0.".Length..]).Select(form =>
        {
            var settings = new DreamSettings(1, 1, form.EndsWith("negent", StringComparison.Ordinal) ? DreamAlgorithm.Entropy : form == "margin" ? DreamAlgorithm.TopkMargin : DreamAlgorithm.MaskgitPlus)
            {
                TopK = form.Contains("topk5", StringComparison.Ordinal) ? 5 : 0,
                TopP = form.Contains("topp08", StringComparison.Ordinal) ? .8 : 1,
            };
            var (tokens_1K, confidence_1K) = DreamDecoder.Propose(logits_1KV, settings, new DecodingDraws(0), 0, 0);
            var title = $"{folder.Name}/case-sample-tokens {form}";
            return tokens_1K[0].data<long>().ToArray().SequenceEqual(file.Read($"x0.{form}").data<long>().ToArray()) ? ForwardParity.Compare(title, file.Read($"conf.{form}"), confidence_1K[0], Tolerance) : new ParityResult(title, 1, "proposes other tokens");
        })];
    }

    /// <summary>LLaDA's likelihood: exactly l of L' answer tokens masked, weight L' / l, mean over draws.</summary>
    private static ParityResult Likelihood(ParityFolder folder, JsonElement fixture)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = folder.Load();
        long[] clean = [.. fixture.GetProperty("prompt").EnumerateArray().Concat(fixture.GetProperty("answer").EnumerateArray()).Select(id => id.GetInt64())];
        var ratios = fixture.GetProperty("p_mask").EnumerateArray().SelectMany(batch => batch.EnumerateArray()).Select(p => p.GetDouble()).ToArray();
        var noisy = fixture.GetProperty("perturbed").EnumerateArray().SelectMany(batch => batch.EnumerateArray()).Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray()).ToArray();
        var asked = noisy.SelectMany((row, b) => Enumerable.Range(0, row.Length).Where(i => row[i] != clean[i]).Select(i => (b, i))).ToList();
        var hidden_ND = model.HiddenRows(HostTensor.Of([.. noisy.SelectMany(row => row)], noisy.Length, clean.Length), HostTensor.Of([.. asked.Select(at => ((long)at.b * clean.Length) + at.i)]));
        var logp_N = Objectives.MaskedLoss.TokenLogProbs(model.Logits(hidden_ND), HostTensor.Of([.. asked.Select(at => clean[at.i])]));
        var found = logp_N.Times(HostTensor.Of([.. asked.Select(at => (float)(1 / (ratios[at.b] * noisy.Length)))])).sum().item<float>();
        var (expected, title) = (fixture.GetProperty("log_likelihood").GetDouble(), $"{folder.Name}/case-loglikelihood");
        var error = Math.Abs(found - expected) / Math.Abs(expected);
        return new(title, error, error <= Tolerance ? "" : $"is {found:g9}, the reference {expected:g9}");
    }
}
