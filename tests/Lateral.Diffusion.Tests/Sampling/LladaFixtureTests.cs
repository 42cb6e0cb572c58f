using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>The sampler against what LLaDA's own generate does on a tiny checkpoint: every model input of every call.</summary>
public class LladaFixtureTests
{
    private const int Mask = 500;

    [Theory]
    [InlineData("gen-full-32x32", 32, 32, 32)]
    [InlineData("gen-semi-ar-32-b8-s16", 32, 8, 16)]
    [InlineData("gen-semi-ar-32-b8-s32", 32, 8, 32)]
    [InlineData("gen-uneven-30-b10-s12", 30, 10, 12)]
    public async Task Sampler_must_follow_the_greedy_reference_call_by_call(string name, int length, int block, int steps)
    {
        var fixture = Read(name);
        var trajectory = await SampleAsync(Ints(fixture.GetProperty("prompt")[0]), new(length, block, steps, 0, "max-prob", false), null);
        AssertCalls(fixture, trajectory);
        if (name == "gen-semi-ar-32-b8-s16") AssertLogProbs(Read("traj-semi-ar-32-b8-s16"), trajectory);
    }

    [Fact]
    public async Task Sampler_must_follow_random_remasking_on_its_recorded_uniforms()
    {
        var fixture = Read("gen-random-remask");
        var trajectory = await SampleAsync(Ints(fixture.GetProperty("prompt")[0]), new(16, 8, 8, 0, "random", false), new RecordedUniforms("gen-random-remask", 13));
        AssertCalls(fixture, trajectory);
        AssertLogProbs(Read("traj-random-remask"), trajectory);
        // Two of the block's masked positions at each step: C(8,2) C(6,2) C(4,2) C(2,2) per block.
        float[] block = [28, 15, 6, 1];
        Assert.Equal(block.Concat(block).Select(sets => -MathF.Log(sets)), trajectory.SelectionLogProbs.AsEnumerable(), new Near(1e-6));
    }

    [Fact]
    public async Task Sampler_must_denoise_prompts_of_different_lengths_as_if_each_stood_alone()
    {
        var fixture = Read("gen-leftpad-batch3-b8-s16");
        var pads = Ints(fixture.GetProperty("case").GetProperty("pads"));
        var spec = new RolloutSpec(24, 8, 12, 0, "max-prob", false);
        await using var sampler = await StartAsync(3, null);
        var prompts = pads.Select((pad, row) => Ints(fixture.GetProperty("prompt")[row])[pad..]).ToArray();
        for (var group = 0; group < prompts.Length; group++) sampler.Submit(TinyPolicy.Task(group, 1, prompts[group], spec));
        var finished = await TinyPolicy.CollectAsync(sampler, prompts.Length);
        for (var group = 0; group < prompts.Length; group++)
        {
            var output = Ints(fixture.GetProperty("output")[group]);
            Assert.Equal(output[^24..], finished[new(group, 0)].Tokens.ToArray());
        }

        // Together from the first step on, or one after the other: the engine may begin before all are submitted.
        Assert.InRange(sampler.Statistics.Forwards, 12, 36);
        Assert.Equal(36, sampler.Statistics.RowSteps);
        Assert.Equal(72, sampler.Statistics.Tokens);
    }

    [Fact]
    public void Likelihood_must_equal_the_reference_log_probs_under_a_temperature()
    {
        using var scope = NewDisposeScope();
        var steps = Read("traj-gumbel-t0.7").GetProperty("steps");
        var fixture = Read("gen-gumbel-t0.7");
        var output = Ints(fixture.GetProperty("output")[0]);
        var (revealStep, expected) = (new int[16], new float[16]);
        for (var step = 0; step < steps.GetArrayLength(); step++)
        {
            var positions = Ints(steps[step].GetProperty("positions"));
            var logp = steps[step].GetProperty("logp");
            for (var i = 0; i < positions.Length; i++) (revealStep[positions[i] - 13], expected[positions[i] - 13]) = (step, (float)logp[i].GetDouble());
        }

        var trajectory = new Trajectory(new(0, 0), [.. output[..13]], [.. output[13..]], [.. revealStep], [.. expected], [.. new float[8]], 0, [new(0, 0, "h")], "");
        using var model = ModelStore.Load(LladaFixture.Folder, trainable: false);
        Assert.All(Scoring.Score(model, Scoring.TableOf([trajectory]), 60, .7), scored => Assert.Equal(scored.Unit.Behaviour, scored.LogProb, 2e-5));
    }

    private static void AssertCalls(JsonElement fixture, Trajectory trajectory)
    {
        var calls = fixture.GetProperty("model_inputs_per_call");
        Assert.Equal(calls.GetArrayLength(), trajectory.Steps);
        for (var step = 0; step < trajectory.Steps; step++)
        {
            Assert.Equal(Ints(calls[step][0]), StateView.Before(step, trajectory, []).Canvas(Mask));
        }

        Assert.Equal(Ints(fixture.GetProperty("output")[0]), trajectory.Prompt.Concat(trajectory.Tokens));
    }

    private static void AssertLogProbs(JsonElement fixture, Trajectory trajectory)
    {
        var (step, entropy) = (0, 0.0);
        foreach (var recorded in fixture.GetProperty("steps").EnumerateArray())
        {
            var positions = Ints(recorded.GetProperty("positions"));
            for (var i = 0; i < positions.Length; i++)
            {
                var position = positions[i] - trajectory.Prompt.Length;
                Assert.Equal(step, trajectory.RevealStep[position]);
                Assert.Equal(recorded.GetProperty("logp")[i].GetDouble(), trajectory.TokenLogProbs[position], 2e-5);
                entropy += recorded.GetProperty("entropy")[i].GetDouble();
            }

            step++;
        }

        Assert.Equal(entropy / trajectory.Tokens.Length, trajectory.RevealEntropy, 1e-4);
    }

    private static async Task<Trajectory> SampleAsync(int[] prompt, RolloutSpec spec, IUniforms? uniforms)
    {
        await using var sampler = await StartAsync(1, uniforms);
        sampler.Submit(TinyPolicy.Task(0, 1, prompt, spec));
        return (await TinyPolicy.CollectAsync(sampler, 1)).Values.Single();
    }

    private static async Task<DiffusionSampler> StartAsync(int slots, IUniforms? uniforms)
    {
        var folder = LladaFixture.Folder;
        var weights = Path.Combine(folder, ModelStore.WeightsFile);
        var sampler = new DiffusionSampler(new("cpu", slots, null, 1, CanaryLimit: 1e-4), new LladaTinyTokenizer(), device => ModelStore.Load(folder, device, trainable: false), uniforms);
        await sampler.SwapAsync(new(1, 0, TinyPolicy.HashOf(weights), "", PayloadKind.Full, 0, weights), weights);
        return sampler;
    }

    private static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(LladaFixture.Folder, name + ".json"))).RootElement;

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];

    private sealed class LladaTinyTokenizer : ITokenizer
    {
        public int VocabularySize => 512;

        public int MaskId => Mask;

        public int? EndId => 498;

        public ImmutableArray<int> Encode(string text) => throw new NotSupportedException();

        public string Decode(ReadOnlySpan<int> ids) => string.Join(' ', ids.ToArray());
    }

    /// <summary>The draws of a fixture: one float32 uniform per canvas position and call.</summary>
    private sealed class RecordedUniforms : IUniforms
    {
        public double Hint(RolloutId id, int position) => throw new NotSupportedException();

        private readonly float[][] _draws;
        private readonly int _prompt;

        public RecordedUniforms(string name, int prompt)
        {
            using var scope = NewDisposeScope();
            using var file = SafetensorsFile.Open(Path.Combine(LladaFixture.Folder, name + ".safetensors"));
            _draws = [.. Enumerable.Range(0, 8).Select(step => file.Read($"confidence_uniform.{step}").data<float>().ToArray())];
            _prompt = prompt;
        }

        public double Token(bool evaluation, RolloutId id, int step, int position) => 0;

        public double Selection(bool evaluation, RolloutId id, int step, int position) => _draws[step][_prompt + position];
    }

    private sealed class Near(double tolerance) : IEqualityComparer<float>
    {
        public bool Equals(float a, float b) => Math.Abs(a - b) <= tolerance;

        public int GetHashCode(float value) => 0;
    }
}
