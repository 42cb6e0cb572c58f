using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class OptimizerTests
{
    private static readonly AdamSettings Settings = new(0.9, 0.98, 1e-8, 0.1);

    [Fact]
    public void AdamW_must_do_the_first_updates_of_hand_computation()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 2f }, requires_grad: true);
        using var adam = new AdamW(new Dictionary<string, Tensor> { ["w"] = w }, new(0.9, 0.99, 0, 0));
        // The first update is lr * sign(g) whatever the gradient's size.
        SetGradient(w, [0.004f]);
        adam.Step(0.5);
        Assert.Equal(1.5f, w.item<float>(), 1e-6);
        // m = .09 * .004 + .1 * .002 = .00056 / .19; v = .99 * .01 * 1.6e-5 + .01 * 4e-6 = 1.984e-7 / .0199
        SetGradient(w, [0.002f]);
        adam.Step(0.5);
        Assert.Equal(1.5 - (0.5 * (0.00056 / 0.19) / Math.Sqrt(1.984e-7 / 0.0199)), w.item<float>(), 1e-5);
    }

    [Fact]
    public void AdamW_must_equal_libtorch_over_many_updates()
    {
        using var scope = NewDisposeScope();
        var random = new CounterRandom(3);
        float[] start = [.. Enumerable.Range(0, 12).Select(i => (float)random.Normal(RandomStream.Noise, i))];
        var ours = tensor(start, 3, 4).requires_grad_();
        var theirs = new TorchSharp.Modules.Parameter(tensor(start, 3, 4));
        using var adam = new AdamW(new Dictionary<string, Tensor> { ["w"] = ours }, Settings);
        using var reference = optim.AdamW([theirs], 0.01, 0.9, 0.98, 1e-8, 0.1);
        for (var update = 0; update < 40; update++)
        {
            float[] gradient = [.. Enumerable.Range(0, 12).Select(i => (float)random.Normal(RandomStream.Noise, i, 1 + update))];
            SetGradient(ours, gradient);
            SetGradient(theirs, gradient);
            adam.Step(0.01);
            reference.step();
        }

        Assert.InRange(LladaFixture.LargestDifference(ours, theirs), 0, 2e-6);
    }

    [Fact]
    public void AdamW_must_continue_from_its_saved_state_to_the_bit()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "optimizer.safetensors");
        var whole = tensor(new[] { 1f, -2f, 3f }, requires_grad: true);
        using var uninterrupted = new AdamW(new Dictionary<string, Tensor> { ["w"] = whole }, Settings);
        Update(uninterrupted, whole, 0, 5);
        SafetensorsWriter.Write(path, uninterrupted.State());
        var resumed = whole.detach().clone().requires_grad_();
        Update(uninterrupted, whole, 5, 9);

        using var restored = new AdamW(new Dictionary<string, Tensor> { ["w"] = resumed }, Settings);
        using (var file = SafetensorsFile.Open(path)) restored.Restore(file);
        Assert.Equal(5, restored.Updates);
        Update(restored, resumed, 5, 9);
        Assert.Equal(whole.data<float>().ToArray(), resumed.data<float>().ToArray());

        using var other = new AdamW(new Dictionary<string, Tensor> { ["w"] = ones(4).requires_grad_() }, Settings);
        using var wrong = SafetensorsFile.Open(path);
        Assert.Contains("[3] there and [4] here", Assert.Throws<InvalidDataException>(() => other.Restore(wrong)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Clip_must_scale_to_the_limit_and_leave_small_or_broken_gradients_alone()
    {
        using var scope = NewDisposeScope();
        Tensor[] parameters = [zeros(2, requires_grad: true), zeros(1, requires_grad: true), zeros(5, requires_grad: true)];
        SetGradient(parameters[0], [3f, 0f]);
        SetGradient(parameters[1], [4f]);
        Assert.Equal(5, Gradients.Clip(parameters, 10), 1e-6);
        Assert.Equal([3f, 0f], parameters[0].grad!.data<float>().ToArray());
        Assert.Equal(5, Gradients.Clip(parameters, 1), 1e-6);
        Assert.Equal(0.6f, parameters[0].grad![0].item<float>(), 1e-6);
        Assert.Equal(0.8f, parameters[1].grad!.item<float>(), 1e-6);

        SetGradient(parameters[1], [float.NaN]);
        Assert.True(double.IsNaN(Gradients.Clip(parameters, 1)));
        Assert.Equal(0.6f, parameters[0].grad![0].item<float>(), 1e-6);
        Gradients.Clear(parameters);
        Assert.Equal(0, Gradients.Norm(parameters));
    }

    [Theory]
    [InlineData(Decay.Cosine, 0, 0.25)]
    [InlineData(Decay.Cosine, 3, 1)]
    [InlineData(Decay.Cosine, 4, 1)]
    [InlineData(Decay.Cosine, 9, 0.55)]
    [InlineData(Decay.Cosine, 14, 0.1)]
    [InlineData(Decay.Cosine, 99, 0.1)]
    [InlineData(Decay.Linear, 9, 0.55)]
    [InlineData(Decay.Linear, 6, 0.82)]
    [InlineData(Decay.Cosine, 6, 0.9140576474687263)]
    [InlineData(Decay.Linear, 14, 0.1)]
    [InlineData(Decay.Constant, 1, 0.5)]
    [InlineData(Decay.Constant, 13, 1)]
    public void LearningRate_must_rise_and_fall_as_described(Decay decay, int update, double fraction) =>
        Assert.Equal(2 * fraction, new LearningRate(2, WarmUp: 4, Updates: 14, decay, FinalFraction: 0.1).At(update), 1e-12);

    private static void Update(AdamW adam, Tensor w, int from, int to)
    {
        for (var update = from; update < to; update++)
        {
            SetGradient(w, [MathF.Sin(update), 1f / (update + 1), -0.3f]);
            adam.Step(0.05);
        }
    }

    private static void SetGradient(Tensor parameter, float[] values)
    {
        parameter.grad = null;
        // A backward pass through w . values puts exactly these values there.
        parameter.view(-1).dot(tensor(values)).backward();
    }
}
