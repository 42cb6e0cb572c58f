using System.Collections.Immutable;
using System.Security.Cryptography;
using Lateral.Actors.Settings;
using Lateral.Benchmarks.Measuring;
using Lateral.Benchmarks.Runs;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Node.Composition;
using Lateral.Node.Runs;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Engines;

/// <summary>
/// How far each likelihood's policy gradient points where that of the recorded trajectory does: the cosine of the two on the same fresh rollouts, rewards and weights, a warmed-up base of the
/// quickstart's task.
/// </summary>
internal static class GradientCosines
{
    private const string Conf = "quickstart.conf";

    /// <summary>The first is what the others are compared with.</summary>
    private static readonly (string Label, string Sets)[] Likelihoods =
    [
        ("trajectory", "likelihood = trajectory"),
        ("trajectory, 1 of 3 states", "likelihood = trajectory, step-subset = 1"),
        ("trajectory-surprise, 1 of 3 states", "likelihood = trajectory-surprise, step-subset = 1"),
        ("trajectory-merged, 3 steps in one", "likelihood = trajectory-merged, merge = 3"),
        ("one-step", "likelihood = one-step, prompt-mask = 0.15"),
        ("coupled", "likelihood = coupled"),
        ("random-mask", "likelihood = random-mask"),
        ("elbo, 1 sample", "likelihood = elbo, samples = 1"),
        ("elbo, 4 samples", "likelihood = elbo, samples = 4"),
        ("elbo-complement, 2 pairs", "likelihood = elbo-complement, samples = 2"),
        ("elbo-quadrature, 3 nodes", "likelihood = elbo-quadrature, nodes = 3"),
        ("sandwich", "likelihood = sandwich"),
    ];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var cosines = Likelihoods.ToDictionary(one => one.Label, _ => new List<double>());
        var halves = new List<double>();
        for (var seed = 1; seed <= options.Seeds; seed++)
        {
            var start = await RealRun.TrainBaseAsync(Conf, folder.Path, $"gradients-base-{seed}", [$"run.seed = {seed}", "eval { final-prompts = 256, samples = 1 }", .. options.Quick ? ["warmup.steps = 200"] : Array.Empty<string>()]);
            var catalog = new RunCatalog(folder.Path);
            var settings = catalog.Load(catalog.Find($"gradients-base-{seed}"), []).Settings;
            var weights = new Base(settings, TaskComposition.Of(settings), start.Base);
            var groups = await weights.SampleAsync(options.Quick ? 8 : 128);
            var exact = await weights.GradientAsync(Likelihoods[0].Sets, groups);
            foreach (var (label, sets) in Likelihoods[1..]) cosines[label].Add(Cosine(exact, await weights.GradientAsync(sets, groups)));
            halves.Add(Cosine(await weights.GradientAsync(Likelihoods[0].Sets, groups[..(groups.Length / 2)]), await weights.GradientAsync(Likelihoods[0].Sets, groups[(groups.Length / 2)..])));
        }

        report.Table([["gradient", "cosine to the trajectory's"], .. Likelihoods[1..].Select(one => (string[])[one.Label, MeanAndRange([.. cosines[one.Label]])])]);
        report.Line($"sort5, {(options.Quick ? 128 : 2048)} rollouts of the base, mean (least-greatest) of {options.Seeds} seeds; the trajectory's own gradient on one half of them to that on the other: {MeanAndRange([.. halves])}");
    }

    private static double Cosine(float[] a, float[] b)
    {
        var (product, first, second) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++) (product, first, second) = (product + ((double)a[i] * b[i]), first + ((double)a[i] * a[i]), second + ((double)b[i] * b[i]));
        return product / Math.Sqrt(first * second);
    }

    /// <summary>A warmed-up base: what it samples, and gradients at its weights.</summary>
    private sealed class Base(RunSettings settings, TaskComposition task, string folder)
    {
        private readonly string _path = Path.Combine(folder, ModelStore.WeightsFile);

        private PolicyNetwork Network => new(settings.Model with { Path = folder }, task.Tokenizer, settings.Seed);

        private PolicyManifest Policy => new(1, 0, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_path))), "", PayloadKind.Full, new FileInfo(_path).Length, ModelStore.WeightsFile);

        public async Task<ImmutableArray<ScoredGroup>> SampleAsync(int groups)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            await using var sampler = new DiffusionSampler(new("cpu", 256, null, settings.Seed, 1), task.Tokenizer, Network);
            await sampler.SwapAsync(Policy, _path);
            ImmutableArray<int> siblings = [.. Enumerable.Range(0, settings.Rollout.GroupSize)];
            Prompt[] prompts = [.. Enumerable.Range(0, groups).Select(group => task.Prompts.Train(group))];
            foreach (var (group, prompt) in prompts.Index()) sampler.Submit(new SampleTask(group, siblings, prompt, settings.Rollout.Spec, Evaluation: false));
            var finished = new List<Trajectory>();
            while (finished.Count < groups * siblings.Length) finished.AddRange(await sampler.NextFinishedAsync(deadline.Token));
            var scored = new List<ScoredTrajectory>();
            foreach (var trajectory in finished.OrderBy(one => one.Id))
            {
                var outcome = (RewardOutcome.Scored)await task.Rewards.ByPool.Values.Single().ScoreAsync(new(trajectory.Id, prompts[trajectory.Id.Group], trajectory.Text), deadline.Token);
                scored.Add(new(trajectory, outcome.Value, outcome.Breakdown));
            }

            return [.. scored.GroupBy(one => one.Trajectory.Id.Group).Select(group => new ScoredGroup(group.Key, [.. group]))];
        }

        public async Task<float[]> GradientAsync(string likelihood, ImmutableArray<ScoredGroup> groups)
        {
            var algorithm = RunSettingsLoader.Load([Path.Combine(Repository.Root, "hocon", Conf)], [$"algorithm {{ {likelihood}, correction = none, advantage = group-mean }}", "learner.shards = 1"], null, ShippedPlugins.All).Settings.Learner;
            await using var rank = new GradientRank(new(folder, "cpu", settings.Seed, 1, settings.Rollout.Spec.Temperature, 1, algorithm, settings.Warmup) { Rollout = settings.Rollout.Spec }, Network);
            await rank.LoadAsync(Policy, _path, default);
            var length = (int)ModelStore.ParameterCount(Network.Spec);
            return (await rank.ComputeAsync(new(new(1, 1, groups.Length, groups), 0, 1, length, Policy, null), 0, default)).Gradient;
        }
    }
}
