using System.Globalization;
using System.Text.Json;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>What is decided from given numbers: reveal rules on fixed logits, Dream's quotas and token proposals, the Monte Carlo likelihood on recorded masks.</summary>
internal static class RuleParity
{
    private const double Tolerance = 1e-5;

    /// <summary>Which positions rules reveal. Files <c>case-selection-rules</c>.</summary>
    public static IEnumerable<ParityResult> Rules(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var file = folder.Tensors(name);
        var fixture = folder.Required(name);
        var (mask, results) = ((long)fixture.Int("mask_id"), new List<ParityResult>());
        foreach (var one in fixture.Of("cases").EnumerateObject())
        {
            var (ids_1K, logits_1KV) = (file.Read($"x.{one.Name}"), file.Read($"logits.{one.Name}"));
            var wrong = new List<string>();
            foreach (var selected in one.Value.Of("selected").EnumerateObject())
            {
                if (Select(selected.Name, logits_1KV, ids_1K, mask) is not { } found) wrong.Add($"{selected.Name} is no rule that is known here");
                else if (!found.SequenceEqual(selected.Value.Ints())) wrong.Add($"{selected.Name} selects {string.Join(", ", found)}");
            }

            results.Add(ParityResult.Equal($"{folder.Name}/{name} {one.Name}", wrong.Count, string.Join("; ", wrong)));
        }

        return results;
    }

    /// <param name="name">a rule with its numbers, as <c>factor0.5</c></param>
    /// <returns>null = no rule of that name</returns>
    private static List<int>? Select(string name, Tensor logits_1KV, Tensor ids_1K, long mask)
    {
        var digits = name.IndexOfAny([.. "0123456789"]);
        if (digits < 0) return null;
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
        if (rule is null) return null;
        Tensor Is(Tensor tokens, long token) => tokens.eq(zeros_like(tokens).Plus(token));
        var masked_1K = Is(ids_1K, mask);
        // dInfer leaves out positions that would become a mask; elsewhere no model says that, and ours cannot.
        if (name.StartsWith("dinfer", StringComparison.Ordinal)) masked_1K = masked_1K.logical_and(Is(logits_1KV.argmax(-1), mask).logical_not());
        var certainty_1K = rule.AsksEntropy ? OutputDistribution.Entropy(logits_1KV) : logits_1KV.softmax(-1).amax([-1]);
        var chosen_1K = rule.Choose(certainty_1K, masked_1K, HostTensor.Of([(long)numbers[0]]));
        // dInfer's loop cannot tell a prefix that only the last position lacks from one that lacks none.
        if (rule is ConfidenceFactor && chosen_1K.sum().item<long>() == masked_1K.sum().item<long>() - 1) chosen_1K = masked_1K;
        return [.. chosen_1K.data<bool>().ToArray().Index().Where(position => position.Item).Select(position => position.Index)];
    }

    /// <summary>How many positions each of Dream's steps reveals. Files <c>case-quota</c>.</summary>
    public static IEnumerable<ParityResult> Quotas(ParityFolder folder, string name)
    {
        var (fixture, wrong) = (folder.Required(name), new List<string>());
        foreach (var one in fixture.Of("quotas").EnumerateObject())
        {
            if (one.Name.Split('/') is not [var left, var right]) throw new JsonException($"{one.Name} is no number of positions over one of steps");
            var (length, steps) = (int.Parse(left, CultureInfo.InvariantCulture), int.Parse(right, CultureInfo.InvariantCulture));
            var (times, found) = (DreamDecoder.Times(steps, fixture.Number("eps")), new List<int>());
            for (var step = 0; step < steps; step++) found.Add(DreamDecoder.Quota(times, step, length - found.Sum()));
            if (!found.SequenceEqual(one.Value.Ints())) wrong.Add(one.Name);
        }

        yield return ParityResult.Equal($"{folder.Name}/{name}", wrong.Count, $"{string.Join(", ", wrong)} reveals other numbers");
    }

    /// <summary>Which token Dream proposes for each position, and how sure it is of it. Files <c>case-sample-tokens</c>: of every form <c>x0.FORM</c> and <c>conf.FORM</c>.</summary>
    public static IEnumerable<ParityResult> Proposals(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var file = folder.Tensors(name);
        var logits_1KV = file.Read("logits").unsqueeze(0);
        return [.. file.Tensors.Select(entry => entry.Name).Where(tensor => tensor.StartsWith("x0.", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(tensor => tensor["x0.".Length..]).Select(form =>
        {
            var title = $"{folder.Name}/{name} {form}";
            if (Form(form) is not { } settings) return ParityResult.Failure(title, "is a form of proposals that is not known here");
            var (tokens_1K, confidence_1K) = DreamDecoder.Propose(logits_1KV, settings, new DecodingDraws(0), 0, 0);
            return tokens_1K[0].data<long>().ToArray().SequenceEqual(file.Read($"x0.{form}").data<long>().ToArray()) ? ForwardParity.Compare(title, file.Read($"conf.{form}"), confidence_1K[0], Tolerance) : ParityResult.Equal(title, 1, "proposes other tokens");
        })];
    }

    /// <param name="form">words with underscores between them: <c>topp08_topk5_negent</c></param>
    private static DreamSettings? Form(string form)
    {
        var settings = new DreamSettings(1, 1, DreamAlgorithm.MaskgitPlus);
        foreach (var word in form.Split('_'))
        {
            var digits = word.IndexOfAny([.. "0123456789"]) is >= 0 and var at ? word[at..] : "";
            switch (word[..^digits.Length])
            {
                case "plain" when digits.Length == 0: break;
                case "margin" when digits.Length == 0: settings = settings with { Algorithm = DreamAlgorithm.TopkMargin }; break;
                case "negent" when digits.Length == 0: settings = settings with { Algorithm = DreamAlgorithm.Entropy }; break;
                case "topk" when digits.Length > 0: settings = settings with { TopK = int.Parse(digits, CultureInfo.InvariantCulture) }; break;
                // 08 is 0.8 and 095 is 0.95.
                case "topp" when digits.Length > 0: settings = settings with { TopP = double.Parse(digits.Contains('.') ? digits : $"{digits[0]}.{digits[1..]}0", CultureInfo.InvariantCulture) }; break;
                default: return null;
            }
        }

        return settings;
    }

    /// <summary>LLaDA's likelihood: exactly l of L' answer tokens masked, weight L' / l, mean over draws. Files <c>case-loglikelihood</c>.</summary>
    public static IEnumerable<ParityResult> Likelihood(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = folder.Load();
        var fixture = folder.Required(name);
        long[] clean = [.. fixture.List("prompt").Concat(fixture.List("answer")).Select(id => id.GetInt64())];
        double[] ratios = [.. fixture.List("p_mask").SelectMany(batch => batch.Numbers())];
        long[][] noisy = [.. fixture.List("perturbed").SelectMany(batch => batch.Rows())];
        var batch = LossParity.Batch([.. noisy.Select(_ => clean)], noisy, (draw, _) => 1 / (ratios[draw] * noisy.Length));
        var found = -MaskedLoss.Of(model, batch, maskIsToken: true).item<float>();
        var expected = fixture.Number("log_likelihood");
        var error = Math.Abs(found - expected) / Math.Abs(expected);
        return [new($"{folder.Name}/{name}", error, error <= Tolerance ? "" : $"is {found:g9}, the reference {expected:g9}")];
    }
}
