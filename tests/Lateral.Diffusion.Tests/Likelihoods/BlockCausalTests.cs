using System.Collections.Immutable;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>One forward over [prompt | completion | completion with masks] answers for every block what it may know, and nothing else.</summary>
public sealed class BlockCausalTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly int[] Prompt = [3, 1, 4], Tokens = [1, 5, 9, 2, 6, 5];

    /// <summary>The first of each block of two is hidden.</summary>
    private static readonly bool[] Masked = [true, false, true, false, true, false];

    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void One_block_without_a_prompt_must_be_the_plain_forward() => Same(Score(View([], Tokens, Masked, 0)), Score(View([], Tokens, Masked, 6)));

    [Fact]
    public void Block_must_see_its_clean_past_and_itself_and_neither_the_future_nor_other_masks()
    {
        var before = Score(View(Prompt, Tokens, Masked, 2));
        // Another token shown in the last block: it answers otherwise, the others do not notice.
        var future = Score(View(Prompt, [1, 5, 9, 2, 6, 7], Masked, 2));
        Same(before[..2], future[..2]);
        Differ(before[2], future[2]);
        // Another token shown in the first: all of them answer otherwise.
        var past = Score(View(Prompt, [1, 8, 9, 2, 6, 5], Masked, 2));
        foreach (var i in new[] { 0, 1, 2 }) Differ(before[i], past[i]);
        // The token that is hidden from the first block is clean for the others.
        var hidden = Score(View(Prompt, [0, 5, 9, 2, 6, 5], Masked, 2));
        foreach (var i in new[] { 1, 2 }) Differ(before[i], hidden[i]);
        // More hidden in the first block is no matter for the others.
        var more = Score(View(Prompt, Tokens, [true, true, true, false, true, false], 2));
        Same(before[1..], more[2..]);
        Differ(before[0], more[0]);
    }

    [Fact]
    public void Prompt_must_be_seen_and_padding_must_not()
    {
        var (alone, other) = (Score(View(Prompt, Tokens, Masked, 2)), Score(View([3, 1, 5], Tokens, Masked, 2)));
        foreach (var i in new[] { 0, 1, 2 }) Differ(alone[i], other[i]);
        // Beside a longer canvas, which is the last of its micro-batch.
        Same(alone, Score(View(Prompt, Tokens, Masked, 2), View([.. Prompt, 2, 7], Tokens, Masked, 2))[..3]);
    }

    private static StateView View(int[] prompt, int[] tokens, bool[] masked, int block)
    {
        var trajectory = new Trajectory(new(0, 0), [.. prompt], [.. tokens], [.. new int[tokens.Length]], [.. new float[tokens.Length]], [0], 0, [new(0, 0, "h")], "");
        ImmutableArray<Question> asked = [.. Enumerable.Range(0, tokens.Length).Where(i => masked[i]).Select(i => new Question(i, 0, 1))];
        return new(trajectory, [.. new bool[prompt.Length], .. masked], asked) { CausalBlock = block };
    }

    /// <summary>Log-probs of the hidden tokens, in order.</summary>
    private float[] Score(params StateView[] views)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        Unit[] units = [new(0, 0, 1, 0, 0)];
        var batch = MicroBatch.Cut(views.Select(view => new PlacedView(view, 0)), 1000, Tokenizer.MaskId).Single();
        return ViewScorer.Score(_model, DeviceMicroBatch.Upload(batch, units, _model), 1).data<float>().ToArray();
    }

    private static void Same(float[] a, float[] b)
    {
        Assert.Equal(a.Length, b.Length);
        Assert.All(a.Zip(b), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    private static void Differ(float a, float b) => Assert.True(Math.Abs(a - b) > 1e-4, $"{a} and {b}");
}
