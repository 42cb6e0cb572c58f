using Lateral.Diffusion.RewardModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class PreferenceLossTests
{
    [Theory]
    [InlineData(0, 0, 0, 0, 0.6931472)] // log 2
    [InlineData(2, 0, 0, 0, 0.1269280)] // log(1 + e^-2)
    [InlineData(0, 2, 0, 0, 2.1269280)] // log(1 + e^2)
    [InlineData(1, 0, 1, 0, 0.6931472)] // the margin is just reached
    [InlineData(3, 1, .5, 0, 0.2014133)] // log(1 + e^-1.5)
    [InlineData(3, 1, 0, .1, 1.7269280)] // + .1 (3 + 1)^2
    [InlineData(1, -1, 0, .1, 0.1269280)] // centred: nothing is added
    [InlineData(500, -500, 0, 0, 0)]
    [InlineData(-500, 500, 0, 0, 1000)] // nothing overflows
    public void Loss_must_be_the_negative_logarithm_of_Bradley_and_Terrys_probability(float chosen, float rejected, double margin, double centre, double expected)
    {
        using var scope = NewDisposeScope();
        var loss = PreferenceLoss.Of(tensor([chosen]), tensor([rejected]), tensor([(float)margin]), centre).item<float>();
        Assert.Equal(expected, loss, 1e-4 * Math.Max(1, expected / 10));
        Assert.Equal(expected, PreferenceFit.Of([chosen], [rejected], [margin]).Loss + (centre * Math.Pow(chosen + rejected, 2)), 1e-6 * Math.Max(1, expected));
    }

    [Fact]
    public void Gradient_must_be_the_probability_of_the_wrong_order()
    {
        using var scope = NewDisposeScope();
        var (chosen, rejected) = (tensor([.7f], requires_grad: true), tensor([-.2f], requires_grad: true));
        PreferenceLoss.Of(chosen, rejected, zeros(1), 0).sum().backward();
        var wrong = 1 / (1 + Math.Exp(.9));
        Assert.Equal((-wrong, wrong), (chosen.grad!.item<float>(), rejected.grad!.item<float>()), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-6);
    }

    [Fact]
    public void Fit_must_count_equal_rewards_one_half_and_measure_all_rewards()
    {
        var fit = PreferenceFit.Of([2, 1, 0, 5], [1, 1, 3, -1], [0, 0, 0, 0]);
        Assert.Equal((4, .625), (fit.Pairs, fit.Accuracy));
        Assert.Equal(1.5, fit.Mean, 1e-12);
        // Squares of .5 .5 1.5 3.5 .5 .5 1.5 2.5 over 8.
        Assert.Equal(Math.Sqrt((.25 + .25 + 2.25 + 12.25 + .25 + .25 + 2.25 + 6.25) / 8), fit.Deviation, 1e-12);
        Assert.Equal((Math.Log(1 + Math.Exp(-1)) + Math.Log(2) + Math.Log(1 + Math.Exp(3)) + Math.Log(1 + Math.Exp(-6))) / 4, fit.Loss, 1e-12);
    }
}
