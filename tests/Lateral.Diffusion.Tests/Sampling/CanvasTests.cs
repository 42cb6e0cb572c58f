using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Sampling;

namespace Lateral.Tests.Diffusion;

public class CanvasTests
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);

    private static Canvas New(int length, int block, int steps, long group = 3, bool stopAtEnd = true, bool evaluation = false) => new(
        new SampleTask(group, [0], new Prompt(0, [3, 1], "31", ""), new(length, block, steps, 1, "random", stopAtEnd), evaluation),
        0, new RandomReveal(), Tokenizer, new CounterUniforms(1));

    private static PolicyManifest Policy(int version) => new(1, version, $"hash{version}", "", PayloadKind.Full, 1, "");

    private static int[] Candidates(Canvas canvas)
    {
        var positions = new int[canvas.Spec.BlockLength];
        return positions[..canvas.Candidates(positions)];
    }

    [Fact]
    public void Canvas_must_offer_the_masked_positions_of_its_active_block()
    {
        var canvas = New(6, 3, 4);
        Assert.Equal([0, 1, 2], Candidates(canvas));
        canvas.Reveal(1, 7, -.5f, .1f);
        canvas.Reveal(2, 8, -.5f, .1f);
        Assert.Equal([3, 1, Tokenizer.MaskId, 7, 8, Tokenizer.MaskId, Tokenizer.MaskId, Tokenizer.MaskId], canvas.Ids);
        canvas.EndStep(0, Policy(0));
        Assert.Equal([0], Candidates(canvas));
        canvas.Reveal(0, 7, -.5f, .1f);
        canvas.EndStep(0, Policy(0));
        Assert.Equal([3, 4, 5], Candidates(canvas));
    }

    [Fact]
    public void Canvas_must_record_steps_log_probs_and_policy_spans()
    {
        var canvas = New(2, 2, 2, stopAtEnd: false);
        canvas.Reveal(1, 5, -.25f, .5f);
        canvas.EndStep(-.7f, Policy(4));
        Assert.False(canvas.Finished);
        canvas.Reveal(0, 2, -.75f, 1.5f);
        canvas.EndStep(0, Policy(6));
        Assert.True(canvas.Finished);
        var trajectory = canvas.ToTrajectory();
        Assert.Equal([2, 5], trajectory.Tokens.ToArray());
        Assert.Equal([1, 0], trajectory.RevealStep.ToArray());
        Assert.Equal([-.75f, -.25f], trajectory.TokenLogProbs.ToArray());
        Assert.Equal([-.7f, 0], trajectory.SelectionLogProbs.ToArray());
        Assert.Equal([new PolicySpan(0, 4, "hash4"), new PolicySpan(1, 6, "hash6")], trajectory.Policies.ToArray());
        Assert.Equal(1, trajectory.RevealEntropy);
        Assert.Equal("25", trajectory.Text);
    }

    [Fact]
    public void Canvas_must_finish_once_everything_before_a_revealed_end_is_revealed()
    {
        var canvas = New(4, 4, 4);
        canvas.Reveal(2, Tokenizer.EndId!.Value, -.1f, 0);
        canvas.EndStep(0, Policy(0));
        Assert.False(canvas.Finished);
        canvas.Reveal(0, 5, -.1f, 0);
        canvas.EndStep(0, Policy(0));
        Assert.False(canvas.Finished);
        canvas.Reveal(1, 6, -.1f, 0);
        canvas.EndStep(0, Policy(0));
        Assert.True(canvas.Finished);
        var trajectory = canvas.ToTrajectory();
        Assert.Equal([5, 6, Tokenizer.EndId.Value, Tokenizer.EndId.Value], trajectory.Tokens.ToArray());
        Assert.Equal([1, 2, 0, -1], trajectory.RevealStep.ToArray());
        Assert.Equal(0, trajectory.TokenLogProbs[3]);
        Assert.Equal("56", trajectory.Text);
        Assert.Equal(3, trajectory.RevealedCount);
    }

    [Fact]
    public void Canvas_must_run_on_where_early_finish_is_off()
    {
        var canvas = New(2, 2, 2, stopAtEnd: false);
        canvas.Reveal(0, Tokenizer.EndId!.Value, -.1f, 0);
        canvas.EndStep(0, Policy(0));
        Assert.False(canvas.Finished);
    }

    [Fact]
    public void Batch_must_let_the_queue_enter_free_slots_in_order()
    {
        var batch = new CanvasBatch(2);
        var canvases = Enumerable.Range(0, 4).Select(group => New(2, 2, 1, group)).ToArray();
        foreach (var canvas in canvases) batch.Enqueue(canvas);
        batch.Fill();
        Assert.Equal([canvases[0], canvases[1]], batch.Slots.ToArray());
        foreach (var position in new[] { 0, 1 }) canvases[1].Reveal(position, 1, 0, 0);
        canvases[1].EndStep(0, Policy(0));
        Assert.Equal([canvases[1]], batch.TakeFinished());
        batch.Fill();
        Assert.Equal([canvases[0], canvases[2]], batch.Slots.ToArray());
        Assert.True(batch.HasWork);
    }

    [Fact]
    public void Batch_must_cancel_a_group_queued_or_running_but_not_a_held_out_one_of_the_same_number()
    {
        var batch = new CanvasBatch(1);
        var heldOut = New(2, 2, 1, 5, evaluation: true);
        foreach (var canvas in new[] { New(2, 2, 1, 5), New(2, 2, 1, 5), New(2, 2, 1, 6), heldOut }) batch.Enqueue(canvas);
        batch.Fill();
        batch.Cancel(5);
        Assert.Null(batch.Slots[0]);
        batch.Fill();
        Assert.Equal(6, batch.Slots[0]!.Id.Group);
        batch.Cancel(6);
        batch.Fill();
        Assert.Same(heldOut, batch.Slots[0]);
    }
}
