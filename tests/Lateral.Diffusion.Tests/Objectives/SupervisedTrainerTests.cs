using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class SupervisedTrainerTests
{
    private static readonly TransformerSpec Spec = TransformerSpec.OfSize("quickstart", vocabulary: 11, maskToken: 10);

    [Fact]
    public async Task Training_must_be_the_same_to_the_bit_and_report_every_step()
    {
        var (first, firstReports) = await Train(Settings(steps: 4, batch: 16, seed: 1));
        var (second, secondReports) = await Train(Settings(steps: 4, batch: 16, seed: 1));
        var (other, _) = await Train(Settings(steps: 4, batch: 16, seed: 2));
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.Equal([1, 2, 3, 4], firstReports.Select(report => report.Step));
        Assert.Equal(firstReports.Select(report => (report.Loss, report.GradientNorm, report.LearningRate)), secondReports.Select(report => (report.Loss, report.GradientNorm, report.LearningRate)));
        Assert.True(firstReports[^1].Elapsed > firstReports[0].Elapsed);
    }

    [Fact]
    public async Task Training_must_learn_what_the_examples_show()
    {
        // Copying is learnable in seconds: from a uniform guess (ln 10) to less than a tenth of it.
        var (_, reports) = await Train(Settings(steps: 120, batch: 64, seed: 2), (step, row) =>
        {
            var digits = Digits(step, row);
            return new(digits, digits);
        });
        Assert.InRange(reports[0].Loss, 2.0, 2.8);
        Assert.InRange(reports.TakeLast(10).Average(report => report.Loss), 0, 0.23);
    }

    public static TheoryData<string, ISupervisedObjective> Objectives => new()
    {
        { "masked", new MaskedObjective() }, { "block", new BlockObjective(2) }, { "dot", new ThoughtObjective(0.5) }, { "dot-mp", new MultiPassObjective(2, 0.5) },
    };

    [Theory]
    [MemberData(nameof(Objectives))]
    public async Task Every_objective_must_train_to_the_same_bit_again_and_reduce_the_loss(string name, ISupervisedObjective objective)
    {
        var settings = Settings(steps: 60, batch: 32, seed: 5);
        var (weights, reports) = await Train(settings, Copy, objective);
        Assert.All(reports, report => Assert.True(double.IsFinite(report.GradientNorm) && report.GradientNorm > 0, $"{name}: gradient norm {report.GradientNorm} at step {report.Step}"));
        Assert.InRange(reports[0].Loss, 1.5, 4);
        Assert.InRange(reports.TakeLast(10).Average(report => report.Loss), 0, 1.2);
        Assert.Equal(weights, (await Train(settings, Copy, objective)).Weights);

        static SupervisedExample Copy(int step, int row) => new(Digits(step, row), Digits(step, row));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Training_must_keep_the_number_of_live_tensors(double goldFloor)
    {
        using var device = new DeviceThread("test");
        var counts = new List<long>();
        await device.Run(() =>
        {
            using var model = ModelStore.Fresh(Spec, 1);
            SupervisedTrainer.Train(model, Settings(steps: 30, batch: 8, seed: 1), new ThoughtObjective(goldFloor), SortExample, _ => counts.Add(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
        }, Autograd.On).WaitAsync(TimeSpan.FromSeconds(60));
        // Counted inside each step; the rotary table appears in the first, and nothing is added later.
        Assert.Equal(30, counts.Count);
        Assert.Single(counts.Skip(1).Distinct());
    }

    [Fact]
    public void Training_must_stop_when_asked_and_refuse_to_go_on_with_numbers_that_are_none()
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(Spec, 1);
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SupervisedTrainer.Train(model, Settings(10, 4, 1), new MaskedObjective(), SortExample, report =>
        {
            if (report.Step == 2) cancel.Cancel();
            Assert.True(report.Step <= 2);
        }, cancel.Token));

        using (no_grad()) model.Parameters[TinyPolicy.Head].FillInPlace(float.NaN);
        var error = Assert.Throws<InvalidOperationException>(() => SupervisedTrainer.Train(model, Settings(10, 4, 1), new MaskedObjective(), SortExample, _ => { }));
        Assert.Contains("supervised step 1", error.Message, StringComparison.Ordinal);
    }

    private static SupervisedSettings Settings(int steps, int batch, ulong seed) =>
        new(steps, batch, new(3e-3, Math.Min(50, steps / 4), steps, Decay.Cosine, 0.1), new(0.9, 0.98, 1e-8, 0), 1, 0, seed);

    private static async Task<(float[] Weights, List<SupervisedProgress> Reports)> Train(
        SupervisedSettings settings, Func<int, int, SupervisedExample>? example = null, ISupervisedObjective? objective = null)
    {
        using var device = new DeviceThread("test");
        var reports = new List<SupervisedProgress>();
        var weights = await device.Run(() =>
        {
            using var model = ModelStore.Fresh(Spec, settings.Seed);
            SupervisedTrainer.Train(model, settings, objective ?? new MaskedObjective(), example ?? SortExample, reports.Add);
            return model.Parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value.detach().data<float>().ToArray()).ToArray();
        }, Autograd.On).WaitAsync(TimeSpan.FromMinutes(2));
        return (weights, reports);
    }

    private static SupervisedExample SortExample(int step, int row)
    {
        var digits = Digits(step, row);
        return new(digits, [.. digits.Order()]);
    }

    private static int[] Digits(int step, int row)
    {
        var random = new CounterRandom(77);
        return [.. Enumerable.Range(0, 5).Select(i => random.Below(10, RandomStream.Corpus, step, row, position: i))];
    }
}
