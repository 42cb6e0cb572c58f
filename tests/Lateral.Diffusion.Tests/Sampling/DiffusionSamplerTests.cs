using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class DiffusionSamplerTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(8, 4, 6, 1, "random", false);

    private readonly TinyPolicy _policy = TinyPolicy.Fresh(Tokenizer);

    public void Dispose() => _policy.Dispose();

    [Theory]
    [InlineData("random", 1.0)]
    [InlineData("max-prob", 1.0)]
    [InlineData("max-prob", 0.6)]
    public async Task Recorded_log_probs_must_equal_replayed_ones_under_the_same_weights(string reveal, double temperature)
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 8);
        for (var group = 0; group < 6; group++)
            sampler.Submit(TinyPolicy.Task(group, 4, [.. Enumerable.Range(0, 1 + group)], Spec with { Reveal = reveal, Temperature = temperature }));
        var finished = await TinyPolicy.CollectAsync(sampler, 24);

        using var model = _policy.Load(CPU);
        var worst = Scoring.Score(model, Scoring.TableOf(finished.Values), 200, temperature).Max(scored => Math.Abs(scored.LogProb - scored.Unit.Behaviour));
        Assert.InRange(worst, 0, 1e-5);
    }

    [Fact]
    public async Task Sampler_must_denoise_mixed_shapes_as_if_each_stood_alone()
    {
        (int[] Prompt, RolloutSpec Spec)[] mixed =
        [
            ([1], Spec), ([1, 2, 3, 4, 5], Spec with { Reveal = "max-prob" }), ([7, 7], new(5, 5, 3, .7, "max-prob", true)),
            ([9, 8, 7, 6, 5, 4, 3], new(2, 1, 2, 1, "random", false)), ([], new(12, 6, 4, 0, "max-prob", false)),
        ];
        await using var together = await _policy.StartAsync(Tokenizer, 3);
        for (var group = 0; group < mixed.Length; group++) together.Submit(TinyPolicy.Task(group, 3, mixed[group].Prompt, mixed[group].Spec));
        var finished = await TinyPolicy.CollectAsync(together, 3 * mixed.Length);

        await using var alone = await _policy.StartAsync(Tokenizer, 1);
        for (var group = 0; group < mixed.Length; group++)
        {
            alone.Submit(TinyPolicy.Task(group, 3, mixed[group].Prompt, mixed[group].Spec));
            foreach (var expected in (await TinyPolicy.CollectAsync(alone, 3)).Values)
            {
                var actual = finished[expected.Id];
                Assert.Equal(expected.Tokens.ToArray(), actual.Tokens.ToArray());
                Assert.Equal(expected.RevealStep.ToArray(), actual.RevealStep.ToArray());
                for (var i = 0; i < expected.Tokens.Length; i++) Assert.Equal(expected.TokenLogProbs[i], actual.TokenLogProbs[i], 1e-5f);
            }
        }
    }

    [Fact]
    public async Task Fixed_shapes_must_make_a_rollout_independent_of_slots_and_companions_to_the_bit()
    {
        var shape = new FixedShape(16, 4);
        int[][] prompts = [[1, 2], [3], [5, 5, 5, 5, 5], [0, 9], [4, 4, 4], [8, 1]];
        async Task<SortedDictionary<RolloutId, Trajectory>> Run(IEnumerable<int> groups, int strangers)
        {
            await using var sampler = await _policy.StartAsync(Tokenizer, 5, shape);
            for (var stranger = 0; stranger < strangers; stranger++)
                sampler.Submit(TinyPolicy.Task(1000 + stranger, 1, [stranger], Spec with { Steps = 2 + 2 * stranger, Reveal = "max-prob" }));
            var count = strangers;
            foreach (var group in groups)
            {
                sampler.Submit(TinyPolicy.Task(group, 3, prompts[group], Spec));
                count += 3;
            }

            return await TinyPolicy.CollectAsync(sampler, count);
        }

        var plain = await Run(Enumerable.Range(0, 6), 0);
        var permuted = await Run([4, 2, 5, 0, 3, 1], 3);
        var fewer = await Run([3], 1);
        foreach (var (id, trajectory) in plain)
        {
            AssertSameBits(trajectory, permuted[id]);
            if (id.Group == 3) AssertSameBits(trajectory, fewer[id]);
        }
    }

    [Fact]
    public async Task Sampler_must_record_the_policy_of_each_step_across_a_swap()
    {
        using var next = TinyPolicy.Fresh(Tokenizer, seed: 2, version: 5);
        var gate = new GateAtStep(2);
        await using var sampler = await _policy.StartAsync(Tokenizer, 2, uniforms: gate);
        sampler.Submit(TinyPolicy.Task(0, 1, [1, 2], Spec));
        Assert.True(gate.Reached.Wait(TimeSpan.FromSeconds(30)));
        // The device thread now stands inside step 2: the swap takes effect before step 3.
        var swap = sampler.SwapAsync(next.Manifest, next.Path);
        await Task.Delay(200);
        gate.Open.Set();
        await swap;
        var trajectory = (await TinyPolicy.CollectAsync(sampler, 1)).Values.Single();
        Assert.Equal([new PolicySpan(0, 0, _policy.Manifest.Hash), new PolicySpan(3, 5, next.Manifest.Hash)], trajectory.Policies.ToArray());
        Assert.Equal((0, 5), (trajectory.OldestVersion, trajectory.NewestVersion));

        using var old = _policy.Load(CPU);
        using var fresh = next.Load(CPU);
        var table = Scoring.TableOf([trajectory]);
        // A unit's age says which of the two policies revealed it: the step begins with version 0 here.
        foreach (var (model, version) in new[] { (old, 0), (fresh, 5) })
        {
            var scored = Scoring.Score(model, table).Where(one => one.Unit.Age == -version).ToList();
            Assert.NotEmpty(scored);
            Assert.All(scored, one => Assert.Equal(one.Unit.Behaviour, one.LogProb, 1e-5));
        }
    }

    [Theory]
    [InlineData("threshold", 1, "max-prob")]
    [InlineData("entropy-bounded", 0, "entropy")]
    public async Task Rule_that_dares_nothing_must_reveal_its_share_and_one_that_dares_all_a_block_a_step(string reveal, double timid, string plain)
    {
        async Task<SortedDictionary<RolloutId, Trajectory>> SampleAsync(RolloutSpec spec)
        {
            await using var sampler = await _policy.StartAsync(Tokenizer, 4);
            sampler.Submit(TinyPolicy.Task(0, 4, [1], spec with { StopAtEnd = false }));
            return await TinyPolicy.CollectAsync(sampler, 4);
        }

        var (shares, expected) = (await SampleAsync(Spec with { Reveal = reveal, RevealLimit = timid }), await SampleAsync(Spec with { Reveal = plain }));
        Assert.All(shares, pair => Assert.Equal(expected[pair.Key].RevealStep.AsEnumerable(), pair.Value.RevealStep));
        var bold = await SampleAsync(Spec with { Reveal = reveal, RevealLimit = reveal == "threshold" ? 0 : 100 });
        Assert.All(bold.Values, trajectory => Assert.Equal(Spec.Blocks, trajectory.Steps));
        Assert.All(bold.Values, trajectory => Assert.Equal(Enumerable.Range(0, Spec.GenLength).Select(position => position / Spec.BlockLength), trajectory.RevealStep));
    }

    [Fact]
    public async Task Sampler_must_never_reveal_the_mask_whatever_the_uniform()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, uniforms: new Constant(1 - 1.0 / (1UL << 53)));
        sampler.Submit(TinyPolicy.Task(0, 4, [1], Spec with { Temperature = 5 }));
        sampler.Submit(TinyPolicy.Task(1, 1, [1], Spec with { Temperature = .01 }));
        foreach (var trajectory in (await TinyPolicy.CollectAsync(sampler, 5)).Values)
        {
            Assert.DoesNotContain(Tokenizer.MaskId, trajectory.Tokens);
            Assert.All(trajectory.TokenLogProbs, logProb => Assert.True(float.IsFinite(logProb)));
        }
    }

    [Fact]
    public async Task Sampler_must_give_evaluation_its_own_random_numbers()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 8);
        sampler.Submit(TinyPolicy.Task(1, 8, [1, 2], Spec));
        var training = await TinyPolicy.CollectAsync(sampler, 8);
        sampler.Submit(TinyPolicy.Task(1, 8, [1, 2], Spec, evaluation: true));
        var evaluation = await TinyPolicy.CollectAsync(sampler, 8);
        sampler.Submit(TinyPolicy.Task(1, 8, [1, 2], Spec));
        var again = await TinyPolicy.CollectAsync(sampler, 8);
        Assert.All(training, pair => Assert.Equal(pair.Value.Tokens.ToArray(), again[pair.Key].Tokens.ToArray()));
        Assert.Contains(training, pair => !pair.Value.Tokens.SequenceEqual(evaluation[pair.Key].Tokens));
        Assert.Equal(8, training.Values.Select(trajectory => string.Concat(trajectory.Tokens)).Distinct().Count());
    }

    [Fact]
    public async Task Sampler_must_finish_early_at_the_end_token_and_give_its_slot_away()
    {
        // A uniform near 1 takes the last token with probability, which is the end token (id 10, before MASK).
        await using var sampler = await _policy.StartAsync(Tokenizer, 1, uniforms: new Constant(1 - 1e-12));
        sampler.Submit(TinyPolicy.Task(0, 2, [1, 2], new(8, 4, 8, 1, "random", true)));
        foreach (var trajectory in (await TinyPolicy.CollectAsync(sampler, 2)).Values)
        {
            // Equal uniforms reveal from the left: the first token ends the completion.
            Assert.Equal(1, trajectory.Steps);
            Assert.Equal([0, -1, -1, -1, -1, -1, -1, -1], trajectory.RevealStep.ToArray());
            Assert.All(trajectory.Tokens, token => Assert.Equal(Tokenizer.EndId, token));
            Assert.Equal("", trajectory.Text);
        }

        Assert.Equal((2, 2, 2), (sampler.Statistics.Forwards, sampler.Statistics.Tokens, sampler.Statistics.Rollouts));
    }

    [Fact]
    public async Task Sampler_must_drop_a_cancelled_group_and_go_on_with_the_others()
    {
        var gate = new GateAtStep(1);
        await using var sampler = await _policy.StartAsync(Tokenizer, 2, uniforms: gate);
        sampler.Submit(TinyPolicy.Task(7, 5, [1], Spec));
        sampler.Submit(TinyPolicy.Task(8, 1, [1], Spec));
        Assert.True(gate.Reached.Wait(TimeSpan.FromSeconds(30)));
        sampler.Cancel(7);
        gate.Open.Set();
        Assert.Equal(8, (await TinyPolicy.CollectAsync(sampler, 1)).Keys.Single().Group);
        Assert.Equal(1, sampler.Statistics.Rollouts);
    }

    [Fact]
    public async Task Sampler_must_refuse_a_payload_with_another_hash_and_keep_its_policy()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 1);
        var wrong = _policy.Manifest with { Version = 3, Hash = new string('0', 64) };
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => sampler.SwapAsync(wrong, _policy.Path));
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => sampler.SwapAsync(_policy.Manifest, _policy.Path + ".absent"));
        sampler.Submit(TinyPolicy.Task(0, 1, [1], Spec));
        Assert.Equal(0, (await TinyPolicy.CollectAsync(sampler, 1)).Values.Single().NewestVersion);
    }

    /// <summary>Its bytes are what the manifest says, its numbers are not: as after a copy to the device that went wrong.</summary>
    [Fact]
    public async Task Sampler_must_refuse_a_policy_with_the_canary_of_other_weights_and_rest_until_it_has_a_sound_one()
    {
        using var next = TinyPolicy.Fresh(Tokenizer, seed: 2, version: 5);
        var (old, fresh) = (_policy.Canary(), next.Canary());
        var gate = new GateAtStep(2);
        await using var sampler = await _policy.StartAsync(Tokenizer, 2, uniforms: gate);
        sampler.Submit(TinyPolicy.Task(0, 1, [1, 2], Spec));
        Assert.True(gate.Reached.Wait(TimeSpan.FromSeconds(30)));
        var swap = sampler.SwapAsync(next.Manifest with { Canary = old }, next.Path);
        await Task.Delay(200);
        gate.Open.Set();
        var refused = await Assert.ThrowsAsync<PolicyUnavailableException>(() => swap);
        Assert.Contains(FormattableString.Invariant($"policy version 5 scores the canary {fresh:g9} nats per token on cpu and {old:g9} on its learner's device"), refused.Message, StringComparison.Ordinal);
        Assert.Contains("policies.canary-limit allows 0.0001", refused.Message, StringComparison.Ordinal);

        // A new task moves nothing either: the weights are neither the old policy's nor the new one's.
        sampler.Submit(TinyPolicy.Task(1, 1, [3], Spec));
        Assert.Equal(2, Assert.Single(await sampler.InFlightAsync()).Step - 1);
        await Task.Delay(100);
        Assert.Equal((3, null), (sampler.Statistics.Forwards, sampler.Statistics.CanaryDifference));

        await sampler.SwapAsync(next.Manifest with { Version = 6, Canary = fresh }, next.Path);
        var finished = await TinyPolicy.CollectAsync(sampler, 2);
        Assert.Equal([new PolicySpan(0, 0, _policy.Manifest.Hash), new PolicySpan(3, 6, next.Manifest.Hash)], finished[new(0, 0)].Policies.ToArray());
        Assert.Equal([new PolicySpan(0, 6, next.Manifest.Hash)], finished[new(1, 0)].Policies.ToArray());
        Assert.Equal(0, sampler.Statistics.CanaryDifference);
    }

    [Fact]
    public async Task Sampler_must_keep_its_policy_when_a_payload_of_another_shape_is_refused()
    {
        using var wide = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 12, 11), seed: 1);
        using var foreign = new TinyPolicy(wide, version: 4);
        await using var sampler = await _policy.StartAsync(Tokenizer, 1);
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => sampler.SwapAsync(foreign.Manifest, foreign.Path));
        sampler.Submit(TinyPolicy.Task(0, 1, [1], Spec));
        Assert.Equal(0, (await TinyPolicy.CollectAsync(sampler, 1)).Values.Single().NewestVersion);
    }

    [Fact]
    public async Task Sampler_must_wait_for_its_first_policy_and_count_the_wait_as_idle()
    {
        await using var sampler = new DiffusionSampler(new("cpu", 2, null, 1, CanaryLimit: 1e-4), Tokenizer, _policy.Load);
        sampler.Submit(TinyPolicy.Task(0, 1, [1], Spec));
        await Task.Delay(50);
        Assert.Equal(0, sampler.Statistics.Forwards);
        await sampler.SwapAsync(_policy.Manifest, _policy.Path);
        await TinyPolicy.CollectAsync(sampler, 1);
        var statistics = sampler.Statistics;
        Assert.Equal((6, 6, 6, 8, 1), (statistics.Forwards, statistics.RowSteps, statistics.SlotSteps, statistics.Tokens, statistics.Rollouts));
        // A delay's timer may fire some milliseconds early.
        Assert.True(statistics.IdleSeconds >= .03 && statistics.BusySeconds > 0 && statistics.SwapSeconds > 0, statistics.ToString());
    }

    [Fact]
    public async Task Failed_engine_must_fail_pending_and_later_calls_with_the_first_cause()
    {
        var sampler = new DiffusionSampler(new("cpu", 2, null, 1, CanaryLimit: 1e-4), Tokenizer, _ => throw new InvalidOperationException("no such weights"));
        await using (sampler)
        {
            var error = await Assert.ThrowsAsync<EngineFailedException>(() => sampler.NextFinishedAsync(default).WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Contains("no such weights", error.Message);
            Assert.IsType<InvalidOperationException>(error.InnerException);
            Assert.Throws<EngineFailedException>(() => sampler.Submit(TinyPolicy.Task(0, 1, [1], Spec)));
            Assert.Throws<EngineFailedException>(() => sampler.Cancel(0));
            await Assert.ThrowsAsync<EngineFailedException>(() => sampler.SwapAsync(_policy.Manifest, _policy.Path));
        }
    }

    [Fact]
    public async Task Policy_that_is_not_finite_must_fail_the_engine_and_never_become_a_trajectory()
    {
        using var broken = TinyPolicy.FreshModel(Tokenizer, 1);
        using (no_grad()) broken.Parameters["model.transformer.ln_f.weight"].fill_(float.NaN);
        using var policy = new TinyPolicy(broken);
        await using var sampler = await policy.StartAsync(Tokenizer, 2);
        sampler.Submit(TinyPolicy.Task(0, 1, [1], Spec));
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => sampler.NextFinishedAsync(default).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("not finite", error.Message);
    }

    [Fact]
    public async Task Submit_must_refuse_what_cannot_be_denoised_and_say_why()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 1, new FixedShape(10, 4));
        string Refused(int[] prompt, RolloutSpec spec) => Assert.Throws<ArgumentException>(() => sampler.Submit(TinyPolicy.Task(0, 1, prompt, spec))).Message;
        Assert.Contains("fixed shape of 10 tokens", Refused([1, 2, 3], Spec));
        Assert.Contains("token 77 is outside", Refused([77], Spec));
        Assert.Contains("unknown reveal 'best'", Refused([1], Spec with { Reveal = "best" }));
        Assert.Contains("multiple", Refused([1], Spec with { Steps = 5 }));
    }

    [Fact]
    public async Task Disposed_sampler_must_end_a_pending_wait()
    {
        var sampler = await _policy.StartAsync(Tokenizer, 1);
        var pending = sampler.NextFinishedAsync(default);
        await sampler.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pending.WaitAsync(TimeSpan.FromSeconds(30)));
        await sampler.DisposeAsync();
    }

    private static void AssertSameBits(Trajectory a, Trajectory b)
    {
        Assert.Equal(a.Tokens.ToArray(), b.Tokens.ToArray());
        Assert.Equal(a.RevealStep.ToArray(), b.RevealStep.ToArray());
        Assert.Equal(a.TokenLogProbs.Select(BitConverter.SingleToInt32Bits), b.TokenLogProbs.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(BitConverter.SingleToInt32Bits(a.RevealEntropy), BitConverter.SingleToInt32Bits(b.RevealEntropy));
    }

    /// <summary>Keyed draws that stop the device thread when it first needs a number of the given step.</summary>
    private sealed class GateAtStep(int step) : IUniforms
    {
        public double Hint(RolloutId id, int position) => throw new NotSupportedException();

        private readonly CounterUniforms _inner = new(9);

        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Open { get; } = new();

        public double Token(bool evaluation, RolloutId id, int at, int position)
        {
            if (at == step && !Reached.IsSet)
            {
                Reached.Set();
                Assert.True(Open.Wait(TimeSpan.FromSeconds(30)));
            }

            return _inner.Token(evaluation, id, at, position);
        }

        public double Selection(bool evaluation, RolloutId id, int at, int position) => _inner.Selection(evaluation, id, at, position);
    }

    private sealed class Constant(double value) : IUniforms
    {
        public double Hint(RolloutId id, int position) => throw new NotSupportedException();

        public double Token(bool evaluation, RolloutId id, int step, int position) => value;

        public double Selection(bool evaluation, RolloutId id, int step, int position) => value;
    }
}
