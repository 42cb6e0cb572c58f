using Lateral.Core.Learning;
using Lateral.Diffusion.Learning.Corrections;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class CorrectionTests
{
    private static readonly LearnerSettings Settings = new("behaviour-clip", .2, 3, "group-z", 1e-4, 0, "constant", 1, .9, .999, 1e-8, 0, 1, 1, 8, 1000, 0);

    /// <summary>Loss, gradient by log pi and clip flag of one token.</summary>
    private static (double Loss, double Gradient, bool Clipped) Token(ICorrection correction, double logRatio, double advantage, double behaviour = -1.5)
    {
        using var scope = NewDisposeScope();
        var logp = tensor(new[] { (float)(behaviour + logRatio) }, requires_grad: true);
        var result = correction.Apply(logp, tensor(new[] { (float)behaviour }), tensor(new[] { (float)advantage }));
        result.Loss_N.sum().backward();
        return (result.Loss_N.item<float>(), logp.grad!.item<float>(), result.Clipped_N.item<bool>());
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
        var token = Token(new BehaviourClip(.2, 3), Math.Log(ratio), advantage);
        Assert.Equal(loss, token.Loss, 1e-5);
        Assert.Equal(gradient, token.Gradient, 1e-5);
        Assert.Equal(clipped, token.Clipped);
    }

    [Fact]
    public void BehaviourClip_without_dual_clip_must_keep_the_gradient_of_a_large_ratio()
    {
        var token = Token(new BehaviourClip(.2, 0), Math.Log(5), -2);
        Assert.Equal((10, 10, false), (Math.Round(token.Loss, 4), Math.Round(token.Gradient, 4), token.Clipped));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void BehaviourClip_must_stay_finite_at_extreme_ratios(double advantage)
    {
        foreach (var logRatio in new[] { -200.0, 200.0 })
        {
            var token = Token(new BehaviourClip(.2, 0), logRatio, advantage);
            Assert.True(double.IsFinite(token.Loss) && token.Gradient == 0, $"{token}");
        }
    }

    [Theory]
    [InlineData(-.9, 1.3)]
    [InlineData(.05, 1.3)]
    [InlineData(.05, -.7)]
    [InlineData(.8, -.7)]
    [InlineData(1.4, -.7)]
    public void Gradients_must_equal_finite_differences(double logRatio, double advantage)
    {
        const double h = 1e-2;
        foreach (var correction in new ICorrection[] { new BehaviourClip(.2, 3), new Uncorrected() })
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

    [Fact]
    public void Catalogue_must_build_every_name_and_refuse_bounds_that_make_no_sense()
    {
        Assert.All(CorrectionCatalogue.Names, name => Assert.Equal(name, CorrectionCatalogue.Create(Settings with { Correction = name }).Name));
        string Refused(LearnerSettings settings) => Assert.Throws<ArgumentException>(() => CorrectionCatalogue.Create(settings)).Message;
        Assert.Contains("behaviour-clip, none", Refused(Settings with { Correction = "ppo" }));
        Assert.Contains("clip-epsilon 0 ", Refused(Settings with { ClipEpsilon = 0 }));
        Assert.Contains("dual-clip 1.1", Refused(Settings with { DualClip = 1.1 }));
    }
}
