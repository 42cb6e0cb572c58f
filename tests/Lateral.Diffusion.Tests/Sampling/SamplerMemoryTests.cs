using System.Runtime.InteropServices;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Sampling;

namespace Lateral.Tests.Diffusion;

public sealed class SamplerMemoryTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: false);
    private static readonly RolloutSpec Spec = new(4, 4, 4, 1, "random", false);

    private readonly TinyPolicy _policy = TinyPolicy.Fresh(Tokenizer);

    public void Dispose() => _policy.Dispose();

    [Fact]
    public async Task Step_that_does_not_fit_must_be_taken_in_half_the_slots_and_no_rollout_must_change()
    {
        await using var healthy = await _policy.StartAsync(Tokenizer, 4);
        var expected = await SampleAsync(healthy, 6);
        // In the third step: the canvases have come half of their way.
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, uniforms: new ShortMemory(failures: 1, step: 2));
        var actual = await SampleAsync(sampler, 6);
        Assert.Equal(2, sampler.Statistics.Slots);
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Id, other.Id);
            Assert.Equal<int>(one.Tokens, other.Tokens);
            Assert.Equal<int>(one.RevealStep, other.RevealStep);
        }
    }

    [Fact]
    public async Task Half_the_slots_that_do_not_fit_must_fail_with_the_shape_and_the_setting()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, uniforms: new ShortMemory(failures: 2, step: 1));
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => SampleAsync(sampler, 6));
        Assert.IsType<DeviceMemoryException>(error.InnerException);
        Assert.Contains("a denoising step of [2, 6] tokens (canvases, length) does not fit the memory of cpu - lower topology.roles.sampler.slots (4 now)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fixed_shapes_must_not_be_halved_because_they_make_the_run_repeatable()
    {
        await using var sampler = await _policy.StartAsync(Tokenizer, 4, new FixedShape(8, 4), new ShortMemory(failures: 1, step: 0));
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => SampleAsync(sampler, 4));
        Assert.Contains("[4, 6] tokens", error.Message, StringComparison.Ordinal);
    }

    private static async Task<List<Trajectory>> SampleAsync(DiffusionSampler sampler, int siblings)
    {
        sampler.Submit(new SampleTask(3, [.. Enumerable.Range(0, siblings)], new(3, [1, 2], "12", ""), Spec, Evaluation: false));
        var finished = new List<Trajectory>();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (finished.Count < siblings) finished.AddRange(await sampler.NextFinishedAsync(deadline.Token));
        return [.. finished.OrderBy(trajectory => trajectory.Id)];
    }

    /// <summary>Has no room at a step, as a device would say it.</summary>
    private sealed class ShortMemory(int failures, int step) : IUniforms
    {
        public double Hint(RolloutId id, int position) => throw new NotSupportedException();

        private readonly CounterUniforms _inner = new(9, 0);
        private int _thrown;

        public double Token(bool evaluation, RolloutId id, int at, int position) => Room(at) ? _inner.Token(evaluation, id, at, position) : 0;

        public double Selection(bool evaluation, RolloutId id, int at, int position) => _inner.Selection(evaluation, id, at, position);

        private bool Room(int at)
        {
            if (at < step || _thrown >= failures) return true;
            _thrown++;
            throw new ExternalException("CUDA out of memory. Tried to allocate 512.00 MiB");
        }
    }
}
