using Lateral.Core.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class CorrectionTests
{
    public static TheoryData<string> Names() => [.. CorrectionRules.All.Where(rule => !rule.Preference).Select(rule => rule.Name)];

    /// <summary>Those whose value is the function that their gradient is of; the others hold a weight or a mask constant.</summary>
    public static TheoryData<string> Differentiable() => ["behaviour-clip", "opsm", "sapo", "log-clip", "linear-exp", "none"];

    private sealed record Answer(double[] Loss, double[] Gradient, bool[] Clipped);

    /// <param name="units">log ratio, advantage, sequence and, where they matter, log mu, age and log ratio of the proximal policy</param>
    private static Answer Apply(ICorrection correction, params (double LogRatio, double Advantage, long Sequence, double Behaviour, double Age, double? Proximal)[] units)
    {
        using var scope = NewDisposeScope();
        Tensor Column(Func<int, double> value) => tensor(Enumerable.Range(0, units.Length).Select(i => (float)value(i)).ToArray());
        var logp = Column(i => units[i].Behaviour + units[i].LogRatio);
        logp.requires_grad = true;
        var proximal = units.All(unit => unit.Proximal is not null) ? Column(i => units[i].Behaviour + units[i].Proximal!.Value) : null;
        var result = correction.Apply(logp, new(
            Column(i => units[i].Behaviour), Column(_ => 1), Column(i => units[i].Advantage), Column(i => units[i].Age),
            tensor(units.Select(unit => unit.Sequence).ToArray()), (int)units.Max(unit => unit.Sequence) + 1, proximal));
        result.Loss_U.sum().backward();
        double[] Host(Tensor values) => [.. values.detach().to(ScalarType.Float64).data<double>().ToArray()];
        return new(Host(result.Loss_U), Host(logp.grad!), [.. result.Clipped_U.data<bool>().ToArray()]);
    }

    /// <summary>Loss, gradient by log pi and clip flag of one token.</summary>
    private static (double Loss, double Gradient, bool Clipped) Token(ICorrection correction, double logRatio, double advantage, double behaviour = -1.5, double age = 0, double? proximal = null)
    {
        var answer = Apply(correction, (logRatio, advantage, 0, behaviour, age, proximal));
        return (answer.Loss[0], answer.Gradient[0], answer.Clipped[0]);
    }

    [Theory]
    // ratio, advantage, loss, gradient = d loss / d log pi: -A rho inside the trust region, 0 where clipped
    [InlineData(1.0, 2.0, -2.0, -2.0, false)]
    [InlineData(1.1, 2.0, -2.2, -2.2, false)]
    [InlineData(1.5, 2.0, -2.4, 0.0, true)]
    [InlineData(0.5, 2.0, -1.0, -1.0, false)]
    [InlineData(1.0, -2.0, 2.0, 2.0, false)]
    [InlineData(0.5, -2.0, 1.6, 0.0, true)]
    [InlineData(1.5, -2.0, 3.0, 3.0, false)]
    [InlineData(5.0, -2.0, 6.0, 0.0, true)]
    [InlineData(0.5, 0.0, 0.0, 0.0, false)]
    public void BehaviourClip_must_give_hand_computed_losses_and_gradients(double ratio, double advantage, double loss, double gradient, bool clipped)
    {
        var token = Token(new BehaviourClip(new(.2, 3)), Math.Log(ratio), advantage);
        Assert.Equal(loss, token.Loss, 1e-5);
        Assert.Equal(gradient, token.Gradient, 1e-5);
        Assert.Equal(clipped, token.Clipped);
    }

    [Fact]
    public void BehaviourClip_without_dual_clip_must_keep_the_gradient_of_a_large_ratio()
    {
        var token = Token(new BehaviourClip(new(.2, 0)), Math.Log(5), -2);
        Assert.Equal((10, 10, false), (Math.Round(token.Loss, 4), Math.Round(token.Gradient, 4), token.Clipped));
    }

    [Theory]
    // mu = .5. A token with A > 0 is dropped once its probability is up by .2; one with A < 0 once it is down by .2.
    [InlineData(1.2, 2.0, -2.4, false)]
    [InlineData(1.5, 2.0, 0.0, true)]
    [InlineData(1.5, -2.0, 3.0, false)]
    [InlineData(0.5, -2.0, 0.0, true)]
    [InlineData(0.5, 2.0, -1.0, false)]
    // pi - mu = .5 against the push of A: kept, and its weight capped.
    [InlineData(2.0, -2.0, 3.8, false)]
    public void DppoTv_must_drop_what_has_moved_too_far_the_way_it_is_pushed(double ratio, double advantage, double policyGradient, bool dropped)
    {
        var token = Token(new DppoTv(new(.2, 1.9, .1)), Math.Log(ratio), advantage, behaviour: Math.Log(.5));
        // tau (log rho)^2 pulls dropped tokens, too.
        Assert.Equal(policyGradient + (2 * .1 * Math.Log(ratio)), token.Gradient, 1e-5);
        Assert.Equal(dropped, token.Clipped);
    }

    [Theory]
    // With one update the policy that the step began with is the current one: what is left is rho' and a mask.
    [InlineData("decoupled", 3.0, 2.0, -6.0, false)]
    [InlineData("decoupled", 6.0, 2.0, 0.0, true)]
    [InlineData("tis", 1.5, 2.0, -3.0, false)]
    [InlineData("tis", 3.0, -2.0, 4.0, false)]
    [InlineData("icepop", 1.5, 2.0, -3.0, false)]
    [InlineData("icepop", 2.5, 2.0, 0.0, true)]
    [InlineData("icepop", 0.4, -2.0, 0.0, true)]
    public void Proximal_corrections_must_weigh_by_the_behaviour_policy_with_one_update(string name, double ratio, double advantage, double gradient, bool dropped)
    {
        var token = Token(CorrectionCatalogue.Create(Methods.Correction(name)), Math.Log(ratio), advantage);
        Assert.Equal(gradient, token.Gradient, 1e-5);
        Assert.Equal(dropped, token.Clipped);
    }

    [Theory]
    // rho' = prox / mu = 1.5 throughout; r = pi / prox is 1.1, or outside the trust region of .2.
    [InlineData("decoupled", 1.1, 2.0, -1.5 * 2.2, false)]
    [InlineData("decoupled", 1.5, 2.0, 0.0, true)]
    [InlineData("tis", 0.5, -2.0, 0.0, true)]
    [InlineData("icepop", 1.1, -2.0, 1.5 * 2.2, false)]
    public void Proximal_corrections_must_clip_around_the_policy_that_the_step_began_with(string name, double ratio, double advantage, double gradient, bool clipped)
    {
        var token = Token(CorrectionCatalogue.Create(Methods.Correction(name)), Math.Log(1.5 * ratio), advantage, proximal: Math.Log(1.5));
        Assert.Equal(gradient, token.Gradient, 1e-5);
        Assert.Equal(clipped, token.Clipped);
    }

    [Theory]
    // prox = mu^(1 - a) pi^a: a fresh rollout (age 0) is clipped around mu, an old one nearly around pi.
    [InlineData(0, 1.5, 0.0, true)]
    [InlineData(1, 1.5, -2 * 1.5, true)]
    [InlineData(1, 1.2, -2 * 1.2, false)]
    [InlineData(9, 1.5, -2 * 1.5, false)]
    public void Log_linear_proximal_policy_must_follow_the_age(double age, double ratio, double gradient, bool clipped)
    {
        // rho' r = rho, so inside the trust region the gradient is that of rho whatever the age.
        var token = Token(new Decoupled(new(.2, 5), logLinear: true), Math.Log(ratio), 2, age: age);
        Assert.Equal(clipped ? 0 : gradient, token.Gradient, 1e-5);
        Assert.Equal(clipped, token.Clipped);
    }

    [Fact]
    public void Masked_sequences_must_keep_or_drop_a_completion_whole()
    {
        // Completion 0: product 1.8, geometric mean 1.34. Completion 1: product 2.25, geometric mean 1.5.
        (double, double, long, double, double, double?)[] units = [(Math.Log(1.5), 1, 0, -1, 0, null), (Math.Log(1.2), 1, 0, -1, 0, null), (Math.Log(1.5), 1, 1, -1, 0, null), (Math.Log(1.5), 1, 1, -1, 0, null)];
        Assert.Equal([false, false, true, true], Apply(new MaskedSequences(new(.2, .5, 2), geometric: false), units).Clipped);
        Assert.Equal([true, true, true, true], Apply(new MaskedSequences(new(.2, .5, 1.3), geometric: true), units).Clipped);
        var kept = Apply(new MaskedSequences(new(.2, .5, 1.4), geometric: true), units);
        Assert.Equal([false, false, true, true], kept.Clipped);
        // What is kept is not weighed.
        Assert.Equal([-1, -1, 0, 0], kept.Gradient.Select(gradient => Math.Round(gradient, 5)));
    }

    [Fact]
    public void Off_policy_masking_must_drop_bad_completions_that_the_policy_has_left()
    {
        // Mean drift log mu - log pi is .15 in every completion.
        (double, double, long, double, double, double?)[] units = [(-.2, -1, 0, -1, 0, null), (-.1, -1, 0, -1, 0, null), (-.15, 1, 1, -1, 0, null)];
        Assert.Equal([true, true, false], Apply(new OffPolicyMasking(new(new(.5, 3), .1)), units).Clipped);
        Assert.Equal([false, false, false], Apply(new OffPolicyMasking(new(new(.5, 3), .2)), units).Clipped);
        Assert.Equal(Apply(new BehaviourClip(new(.5, 3)), units).Gradient, Apply(new OffPolicyMasking(new(new(.5, 3), 0)), units).Gradient);
    }

    [Theory]
    [InlineData(3.0, 2.0, -2 * 1.28)]
    [InlineData(0.5, 2.0, -2 * .8)]
    [InlineData(1.1, -2.0, 2 * 1.1)]
    public void Cispo_must_clip_the_weight_and_never_the_gradient(double ratio, double advantage, double gradient) =>
        Assert.Equal(gradient, Token(new Cispo(new(.2, .28)), Math.Log(ratio), advantage).Gradient, 1e-5);

    [Fact]
    public void Gspo_must_clip_the_geometric_mean_of_a_completion()
    {
        (double, double, long, double, double, double?)[] units = [(Math.Log(1.3), 1, 0, -1, 0, null), (Math.Log(.9), 1, 0, -1, 0, null), (Math.Log(1.5), 1, 1, -1, 0, null)];
        var answer = Apply(new Gspo(new(.2)), units);
        var mean = Math.Sqrt(1.3 * .9);
        Assert.Equal([false, false, true], answer.Clipped);
        Assert.Equal([-mean, -mean, -1.2], answer.Loss, new NearDouble(1e-5));
        // Two units share the completion's ratio: each of the two losses moves with each of the two log-probs by half.
        Assert.Equal([-mean, -mean, 0], answer.Gradient, new NearDouble(1e-5));
    }

    [Theory]
    [InlineData(3.0, 2.0, -2.0)]
    [InlineData(3.0, -2.0, 2.0)]
    [InlineData(0.5, -2.0, 1.0)]
    public void Topr_must_taper_bad_rollouts_only(double ratio, double advantage, double gradient) =>
        Assert.Equal(gradient, Token(new Topr(), Math.Log(ratio), advantage).Gradient, 1e-5);

    [Fact]
    public void M2po_must_drop_the_fewest_that_bring_the_second_moment_down()
    {
        // Squares .01, .04, .09, .25: means of the smallest are .01, .025, .0467, .0975.
        (double, double, long, double, double, double?)[] units = [(.3, 1, 0, -1, 0, null), (-.1, 1, 0, -1, 0, null), (.5, 1, 0, -1, 0, null), (.2, 1, 0, -1, 0, null)];
        Assert.Equal([true, false, true, false], Apply(new M2po(new(.9, .04)), units).Clipped);
        Assert.Equal([false, false, true, false], Apply(new M2po(new(.9, .05)), units).Clipped);
        Assert.Equal([true, true, true, true], Apply(new M2po(new(.9, .001)), units).Clipped);
    }

    [Fact]
    public void Sapo_must_have_the_plain_gradient_at_one_and_fade_on_both_sides()
    {
        var gate = new Sapo(new(1, 1.05));
        Assert.Equal(-2, Token(gate, 0, 2).Gradient, 1e-5);
        Assert.Equal(2, Token(gate, 0, -2).Gradient, 1e-5);
        // d/d log rho of (4 / t) sigmoid(t (rho - 1)) = 4 rho s (1 - s).
        var s = 1 / (1 + Math.Exp(-(3.0 - 1)));
        Assert.Equal(-2 * 4 * 3 * s * (1 - s), Token(gate, Math.Log(3), 2).Gradient, 1e-5);
        Assert.True(Math.Abs(Token(gate, Math.Log(20), 2).Gradient) < 1e-3);
    }

    [Theory]
    [InlineData(2.0, 1.0, -1.28, 0.0, true)]
    [InlineData(1.1, 1.0, -1.1, -1.1, false)]
    [InlineData(0.5, -1.0, .8, 0.0, true)]
    [InlineData(2.0, -1.0, 2.0, 2.0, false)]
    public void LogClip_must_equal_a_clip_with_two_widths(double ratio, double advantage, double loss, double gradient, bool clipped)
    {
        var token = Token(new LogClip(new(.2, .28)), Math.Log(ratio), advantage);
        Assert.Equal((loss, gradient, clipped), (Math.Round(token.Loss, 5), Math.Round(token.Gradient, 5), token.Clipped));
    }

    [Fact]
    public void LinearExp_must_use_the_tangent_for_good_rollouts_only_and_stay_a_number()
    {
        var bound = new LinearExp(new(.2, 3));
        Assert.Equal((-1.1, -1), (Math.Round(Token(bound, .1, 1).Loss, 5), Math.Round(Token(bound, .1, 1).Gradient, 5)));
        Assert.Equal(Math.Exp(.1), Token(bound, .1, -1).Loss, 1e-5);
        // The reference's exp(log(1 + log rho)) is no number here.
        Assert.Equal((1, -1), (Math.Round(Token(bound, -2, 1).Loss, 5), Math.Round(Token(bound, -2, 1).Gradient, 5)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_correction_must_be_the_plain_policy_gradient_where_nothing_is_stale(string name)
    {
        var correction = CorrectionCatalogue.Create(Methods.Correction(name));
        Assert.Equal(name, correction.Name);
        foreach (var advantage in new[] { 1.5, -.5, 0 })
        {
            var token = Token(correction, 0, advantage, age: 0);
            Assert.Equal(-advantage, token.Gradient, 1e-5);
            Assert.False(token.Clipped);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_correction_must_stay_finite_at_extreme_ratios(string name)
    {
        foreach (var logRatio in new[] { -200.0, 200.0 })
        {
            foreach (var advantage in new[] { 1.0, -1.0 })
            {
                var token = Token(CorrectionCatalogue.Create(Methods.Correction(name)), logRatio, advantage);
                Assert.True(double.IsFinite(token.Loss) && double.IsFinite(token.Gradient), $"{name}: {token}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void Gradients_must_equal_finite_differences(string name)
    {
        const double h = 1e-2;
        var correction = CorrectionCatalogue.Create(Methods.Correction(name));
        foreach (var (logRatio, advantage) in new[] { (-.9, 1.3), (.05, 1.3), (.05, -.7), (.8, -.7), (1.4, -.7) })
        {
            var difference = (Token(correction, logRatio + h, advantage).Loss - Token(correction, logRatio - h, advantage).Loss) / (2 * h);
            Assert.Equal(difference, Token(correction, logRatio, advantage).Gradient, 2e-3);
        }
    }

    [Fact]
    public void Uncorrected_must_be_the_plain_policy_gradient_whatever_the_ratio()
    {
        foreach (var logRatio in new[] { -3.0, 0, 3 })
        {
            var token = Token(new Uncorrected(), logRatio, 2);
            Assert.Equal((-2, false), (Math.Round(token.Gradient, 6), token.Clipped));
        }
    }

    /// <summary>Loss and gradient by log pi of completions with advantages +1, -1 or 0, all of one group.</summary>
    private static (double[] Loss, double[] Gradient) Compare(ICorrection correction, params (double Gain, double Advantage)[] completions)
    {
        using var scope = NewDisposeScope();
        Tensor Column(Func<int, double> value) => tensor(Enumerable.Range(0, completions.Length).Select(i => (float)value(i)).ToArray());
        var logp = Column(i => -5 + completions[i].Gain);
        logp.requires_grad = true;
        var zero = zeros(completions.Length, ScalarType.Int64);
        var result = correction.Apply(logp, new(Column(_ => 0), Column(_ => 1), Column(i => completions[i].Advantage), Column(_ => 0), arange(completions.Length), completions.Length)
        {
            Reference_U = Column(_ => -5),
            Group_U = zero,
            Groups = 1,
        });
        result.Loss_U.sum().backward();
        double[] Host(Tensor values) => [.. values.detach().to(ScalarType.Float64).data<double>().ToArray()];
        return (Host(result.Loss_U), Host(logp.grad!));
    }

    [Fact]
    public void Dpo_must_be_the_logistic_loss_of_the_pairs_margin()
    {
        // beta .5, gains 2 and -1: margin 3, -log sigmoid(1.5) = .2014, its derivative -sigmoid(-1.5) * .5 = -.0912.
        var (loss, gradient) = Compare(new DirectPreference(new(.5)), (2, 1), (7, 0), (-1, -1));
        Assert.Equal(Math.Log(1 + Math.Exp(-1.5)), loss.Sum(), 1e-5);
        var slope = .5 / (1 + Math.Exp(1.5));
        Assert.Equal([-slope, 0, slope], gradient, new NearDouble(1e-5));
        Assert.Equal(Math.Log(2), Compare(new DirectPreference(new(.2)), (0, 1), (0, -1)).Loss.Sum(), 1e-5);
        var far = Compare(new DirectPreference(new(1)), (-500, 1), (500, -1));
        Assert.Equal(1000, far.Loss.Sum(), 1e-2);
        Assert.Equal([-1, 1], far.Gradient, new NearDouble(1e-5));
    }

    [Fact]
    public void Kto_must_pull_good_completions_above_the_mean_gain_and_push_bad_ones_below()
    {
        // beta 1, gains 1 and 0: mean .5. Good: 1 - sigmoid(.5), bad: 1 - sigmoid(.5 - 0).
        var (loss, gradient) = Compare(new UnpairedPreference(new(1)), (1, 1), (0, -1));
        var s = 1 / (1 + Math.Exp(-.5));
        Assert.Equal([1 - s, 1 - s], loss, new NearDouble(1e-5));
        Assert.Equal([-s * (1 - s), s * (1 - s)], gradient, new NearDouble(1e-5));
        // A negative mean counts as none.
        Assert.Equal(1 - (1 / (1 + Math.Exp(2))), Compare(new UnpairedPreference(new(1)), (-2, 1)).Loss[0], 1e-5);
    }

    [Fact]
    public void Catalogue_must_refuse_names_and_bounds_that_make_no_sense()
    {
        string Refused(MethodSettings method) => Assert.Throws<ArgumentException>(() => CorrectionCatalogue.Create(method)).Message;
        Assert.Contains("behaviour-clip, dppo-tv", Refused(MethodSettings.Of("ppo")));
        Assert.Contains("clip-epsilon 0 ", Refused(MethodSettings.Of("behaviour-clip", ("clip-epsilon", 0), ("dual-clip", 3))));
        Assert.Contains("dual-clip 1.1", Refused(MethodSettings.Of("behaviour-clip", ("clip-epsilon", .2), ("dual-clip", 1.1))));
    }
}
