using Lateral.Core;
using Lateral.Core.Prompts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using Lateral.Diffusion.Tokens;
using static TorchSharp.torch;

namespace Lateral.Benchmarks.Engines;

/// <summary>How often final answers are right, of all examples.</summary>
/// <param name="Clean">the thoughts before were right</param>
/// <param name="Corrupted">one digit of the last revealed thought was changed</param>
internal sealed record RepairRate(double Clean, double Corrupted);

/// <summary>
/// Whether a model gets over a wrong thought: right solutions are revealed up to a random thought, one digit of that thought is replaced by another, and the rest is denoised block by
/// block, one token a step, greedily (the surest position first). N examples, L length, V vocabulary.
/// </summary>
/// <remarks>Revealed tokens stay, as with every sampler that does not remask: a wrong thought is never repaired in place, only what is made of it can be right.</remarks>
internal static class ThoughtRepair
{
    /// <param name="seed">of the choice of thought, digit and replacement: the same for every model</param>
    public static RepairRate Measure(TransformerModel model, ITask task, int blockLength, ulong seed)
    {
        var tokenizer = new CharTokenizer(task.Alphabet!);
        var items = Enumerable.Range(0, task.HeldOutCount).Select(task.HeldOut).ToArray();
        var random = new CounterRandom(seed);
        var thoughts = (task.GenLength / blockLength) - 1;
        var clean = new List<long[]>();
        var corrupted = new List<long[]>();
        for (var i = 0; i < items.Length; i++)
        {
            var thought = random.Below(thoughts, RandomStream.Noise, i);
            var at = (thought * blockLength) + random.Below(blockLength - 1, RandomStream.Noise, i, position: 1);
            var answer = items[i].Answer.ToCharArray();
            clean.Add(Canvas(new string(answer)));
            answer[at] = (char)('0' + ((answer[at] - '0' + 1 + random.Below(9, RandomStream.Noise, i, position: 2)) % 10));
            corrupted.Add(Canvas(new string(answer)));

            long[] Canvas(string text) =>
                [.. tokenizer.Encode(items[i].Prompt), .. tokenizer.Encode(text).Select((id, j) => (long)(j < (thought + 1) * blockLength ? id : tokenizer.MaskId))];
        }

        return new(Right(clean), Right(corrupted));

        double Right(List<long[]> canvases)
        {
            Denoise(model, canvases, task.GenLength, blockLength);
            return canvases.Index().Average(row => task.FinalAnswer(tokenizer.Decode([.. row.Item[^task.GenLength..].Select(id => (int)id)])) == items[row.Index].Reference ? 1.0 : 0);
        }
    }

    private static void Denoise(TransformerModel model, List<long[]> canvases, int genLength, int blockLength)
    {
        var (mask, length) = (model.Spec.MaskToken, canvases[0].Length);
        while (canvases.Exists(canvas => canvas.Contains(mask)))
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            // The masked positions of the first block that has any, of each canvas.
            var asked = canvases.SelectMany((canvas, n) => Candidates(canvas).Select(position => (Canvas: n, Position: position))).ToArray();
            var logits_NV = model.TokenLogits(model.HiddenRows(HostTensor.Of([.. canvases.SelectMany(ids => ids)], canvases.Count, length), HostTensor.Of([.. asked.Select(place => ((long)place.Canvas * length) + place.Position)])));
            var (best_N, token_N) = logits_NV.log_softmax(-1).max(-1);
            var (best, token) = (best_N.data<float>().ToArray(), token_N.data<long>().ToArray());
            foreach (var own in Enumerable.Range(0, asked.Length).GroupBy(i => asked[i].Canvas))
            {
                var surest = own.MaxBy(i => best[i]);
                canvases[own.Key][asked[surest].Position] = token[surest];
            }
        }

        IEnumerable<int> Candidates(long[] canvas)
        {
            var first = Array.IndexOf(canvas, mask);
            if (first < 0) return [];
            var start = length - genLength;
            var end = start + ((((first - start) / blockLength) + 1) * blockLength);
            return Enumerable.Range(first, end - first).Where(position => canvas[position] == mask);
        }
    }
}
