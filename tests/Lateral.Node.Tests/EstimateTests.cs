using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Diffusion.Models;
using Lateral.Node.Estimation;

namespace Lateral.Node.Tests;

public sealed class EstimateTests
{
    private const long GiB = 1L << 30;

    // 2 blocks, D 32, F 64, V 100: embedding and head 2 * 3200, final norm 32, per block 4 * 1024 + 3 * 2048 + 2 * 32.
    private const long Parameters = 6400 + 32 + (2 * (4096 + 6144 + 64));

    private static readonly TransformerSpec Spec = new(32, 2, 2, 64, 100, 1024, 1e-5, 10_000, 99, null, null);

    [Fact]
    public void Estimate_must_equal_the_hand_computed_sizes()
    {
        var device = Assert.Single(Estimate("warmup.steps = 0").Devices(_ => null));
        Assert.Null(device.Fits);
        var items = device.Roles.SelectMany(role => role.Items.Select(item => (Key: $"{role.Role}/{item.What}", item.Bytes))).ToDictionary(item => item.Key, item => item.Bytes);
        Assert.Equal(8 * Parameters, items["process/gradient sums"]);
        Assert.Equal(12 * Parameters, items["process/checkpoint copy"]);
        Assert.Equal(4 * Parameters, items["sampler/weights"]);
        // 256 slots of 5 + 5 tokens, (2 * 32 + max(128, 192)) floats, half as much again.
        Assert.Equal(2560 * 256 * 6, items["sampler/canvases"]);
        Assert.Equal(256 * 5 * 100 * 41, items["sampler/logits"]);
        Assert.Equal(items["sampler/canvases"], items["evaluation/canvases"]);
        Assert.Equal(8 * Parameters, items["learner/gradients"]);
        Assert.Equal(8 * Parameters, items["learner/optimizer moments"]);
        // A shard: 512 / 8 rollouts x 3 states x 10 tokens = 1,920, less than a micro-batch may have.
        Assert.Equal(2 * 1920 * ((13 * 32) + (3 * 64)) * 6, items["learner/activations"]);
        Assert.Equal(192 * 1 * 100 * 24, items["learner/logits"]);
    }

    [Fact]
    public void Rank_beside_the_learner_must_count_without_an_optimizer()
    {
        var rank = Estimate("learner.ranks = 2", "topology.roles.rank.devices.\"cuda:1\" {}").Devices(_ => null).Single(device => device.Device == "cuda:1").Roles.Single();
        Assert.Equal("learner rank", rank.Role);
        Assert.Equal(["weights", "gradients", "activations", "logits"], rank.Items.Select(item => item.What));
    }

    [Fact]
    public void Critic_must_count_as_a_network_with_one_output()
    {
        var device = Assert.Single(Estimate("warmup.steps = 0", "algorithm.advantage = value-gae").Devices(_ => null));
        long Of(string role, string what) => device.Roles.Single(one => one.Role == role).Items.Single(item => item.What == what).Bytes;
        Assert.Equal(16 * (Parameters - (99 * 32)), Of("learner", "critic"));
        Assert.Equal(12 * (Parameters - (99 * 32)), Of("process", "critic's checkpoint copy"));
        // 512 rollouts x 3 states x 10 tokens = 15,360 in one forward of the critic.
        Assert.Equal(2 * 15_360 * ((13 * 32) + (3 * 64)) * 6, Of("learner", "activations"));
    }

    [Fact]
    public void Adapter_must_count_for_what_is_trained_and_the_narrow_model_for_what_is_kept()
    {
        var device = Assert.Single(Estimate("warmup.steps = 0", "model { path = /models/a, precision = bfloat16, adapter.rank = 4 }", "algorithm.kl.coefficient = 0.1").Devices(_ => null));
        long Of(string role, string what) => device.Roles.Single(one => one.Role == role).Items.Single(item => item.What == what).Bytes;
        // Per block four maps of 32 x 32 and three of 64 x 32, of rank 4: in and out together.
        const long adapter = 2 * 4 * ((4 * 64) + (3 * 96));
        Assert.Equal((2 * Parameters, 4 * adapter), (Of("sampler", "weights"), Of("sampler", "adapter")));
        Assert.Equal((2 * Parameters, 8 * adapter, 8 * adapter, 4 * adapter), (Of("learner", "weights"), Of("learner", "gradients"), Of("learner", "optimizer moments"), Of("learner", "reference policy")));
        Assert.Equal((8 * adapter, 12 * adapter), (Of("process", "gradient sums"), Of("process", "checkpoint copy")));
        Assert.Equal(2560 * 256 * 3, Of("sampler", "canvases"));
        Assert.Equal(2 * 1920 * ((13 * 32) + (3 * 64)) * 3, Of("learner", "activations"));
    }

    [Fact]
    public void Activation_checkpointing_must_count_one_block_and_the_inputs_of_all()
    {
        var items = Items(Estimate("warmup.steps = 0", "learner.activation-checkpointing = on"));
        Assert.Equal(1920 * ((13 * 32) + (3 * 64) + (2 * 32)) * 6, items["activations"]);
    }

    [Fact]
    public void Micro_batch_and_temperature_must_count()
    {
        var items = Items(Estimate("warmup.steps = 0", "learner.micro-batch-tokens = 640", "rollout.temperature = 0.9"));
        Assert.Equal(2 * 640 * 608 * 6, items["activations"]);
        Assert.Equal(256 * 5 * 100 * 61, items["logits"]);
    }

    [Fact]
    public void Warmup_batch_must_count_where_it_is_larger_than_a_micro_batch()
    {
        Assert.Equal(2 * 20_480 * 608 * 6, Items(Estimate("warmup.batch = 2048"))["activations"]);
    }

    [Fact]
    public void Logits_of_a_large_vocabulary_must_be_bounded_by_the_pieces()
    {
        var large = Estimate() with { Spec = Spec with { Vocabulary = 126_464 } };
        Assert.Equal(41L << 25, Items(large)["logits"]);
    }

    [Fact]
    public void Remedy_must_be_the_largest_power_of_two_that_fits()
    {
        var estimate = Estimate("warmup.steps = 0", "topology.roles.sampler.slots = 60000");
        Func<string, long?> capacity = _ => GiB;
        Assert.False(estimate.Devices(capacity)[0].Fits);
        var remedy = Assert.Single(Remedies.For(estimate, "cpu", capacity));
        var slots = int.Parse(remedy["topology.roles.sampler.slots = ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(WithSlots(estimate, slots).Devices(capacity)[0].Fits);
        Assert.False(WithSlots(estimate, slots * 2).Devices(capacity)[0].Fits);
    }

    [Fact]
    public void Remedy_must_say_what_no_setting_changes()
    {
        var remedy = Assert.Single(Remedies.For(Estimate(), "cpu", _ => 200L << 20));
        Assert.Contains("a smaller model or a device with more memory", remedy, StringComparison.Ordinal);
        Assert.Contains("process keeps in any case", remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Driver_line_must_be_read()
    {
        Assert.Equal(("NVIDIA H100 80GB HBM3", "580.95.05", 81_559L << 20), DeviceMemory.Parse("NVIDIA H100 80GB HBM3, 580.95.05, 81559"));
    }

    [Fact]
    public async Task Command_must_say_that_it_does_not_fit_and_exit_with_the_environments_code()
    {
        string[] cuda = ["--set", "topology.roles.learner.device = \"cuda:0\"", "--gpu-memory", "1MiB", "--json"];
        var (code, output, _) = await Shell.RunAsync(["estimate", Fixtures.Hocon("quickstart.conf"), .. cuda]);
        Assert.Equal(3, code);
        var devices = JsonElement.Parse(output).EnumerateArray().ToDictionary(device => device.GetProperty("device").GetString()!);
        Assert.True(devices["cpu"].GetProperty("fits").GetBoolean());
        Assert.False(devices["cuda:0"].GetProperty("fits").GetBoolean());
        Assert.NotEmpty(devices["cuda:0"].GetProperty("remedies").EnumerateArray());
    }

    [Fact]
    public async Task Command_must_name_a_size_that_is_none()
    {
        var (code, _, error) = await Shell.RunAsync("estimate", Fixtures.Hocon("quickstart.conf"), "--gpu-memory", "much");
        Assert.Equal(2, code);
        Assert.Contains("--gpu-memory must be a size such as 80GiB, got \"much\"", error, StringComparison.Ordinal);
    }

    private static MemoryEstimate Estimate(params string[] sets) => new(RunSettingsLoader.Load([Fixtures.Hocon("quickstart.conf")], sets).Settings, Spec, Prompt: 5);

    private static MemoryEstimate WithSlots(MemoryEstimate estimate, int slots) =>
        estimate with { Settings = estimate.Settings with { Topology = estimate.Settings.Topology with { Slots = slots } } };

    /// <summary>The sampler's logits and canvases, the learner's activations.</summary>
    private static Dictionary<string, long> Items(MemoryEstimate estimate)
    {
        var roles = estimate.Devices(_ => null)[0].Roles;
        return new(StringComparer.Ordinal)
        {
            ["logits"] = roles.Single(role => role.Role == "sampler").Items.Single(item => item.What == "logits").Bytes,
            ["activations"] = roles.Single(role => role.Role == "learner").Items.Single(item => item.What == "activations").Bytes,
        };
    }
}
