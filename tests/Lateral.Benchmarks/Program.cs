using System.Globalization;
using Lateral.Actors;
using Lateral.Benchmarks;
using Lateral.Benchmarks.Engines;
using Lateral.Benchmarks.Measuring;
using Lateral.Benchmarks.Runs;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Tensors;

(string Name, string What, Func<Options, Report, Task> Run)[] benchmarks =
[
    ("sampler", "sampler time over the bare model forwards it needs", SamplerBenchmark.RunAsync),
    ("learner", "learner time over bare forward and backward of its micro-batches", LearnerBenchmark.RunAsync),
    ("ranks", "a learner step by two ranks over the same step by one", RanksBenchmark.RunAsync),
    ("memory", "live tensors and memory over 2,000 sampler steps and 200 learner steps", MemoryBenchmark.RunAsync),
    ("loading", "peak memory of loading a sharded checkpoint of random bf16 weights over its size (only by name)", LoadingBenchmark.RunAsync),
    ("activations", "memory and time of an adapter's gradients with activations kept and computed again (only by name)", ActivationBenchmark.RunAsync),
    ("journal", "share of journal and orchestration in a step", JournalBenchmark.RunAsync),
    ("async", "asynchronous against synchronous steps per second, against the predicted limit", AsyncBenchmark.RunAsync),
    ("control-plane", "groups a second through one coordinator with up to 1,000 simulated samplers", ControlPlaneBenchmark.RunAsync),
    ("cluster", "seconds until a cluster of processes trains, and until it trains again after each role is killed", ClusterBenchmark.RunAsync),
    ("policy-sync", "seconds to bring a policy to another node, against copying and hashing the file", PolicySyncBenchmark.RunAsync),
    ("sandbox", "programs a second through the sandbox, and how long one takes, over plain Python", SandboxBenchmark.RunAsync),
    ("staleness", "every correction against staleness and learning rate; about an hour and a half, resumable with --runs-dir (only by name)", StalenessGrid.RunAsync),
    ("order", "fixed and learned orders of revealing on the task where the order decides; resumable with --runs-dir (only by name)", OrderExperiment.RunAsync),
    ("thoughts", "worked steps against answers only, and what is made of a wrong step; about half an hour, resumable with --runs-dir (only by name)", Thoughts.RunAsync),
    ("gradients", "cosines of every likelihood's gradient with the recorded trajectory's, on the same rollouts; a few minutes (only by name)", GradientCosines.RunAsync),
    ("serial", "a ball under five cups: accuracy against swaps and denoising steps, before and after reinforcement learning; resumable with --runs-dir (only by name)", SerialExperiment.RunAsync),
    ("credit", "rewards of outcomes and of steps by exact and surrogate likelihoods; resumable with --runs-dir (only by name)", CreditExperiment.RunAsync),
    ("diversity", "different right answers of a diffusion model and of its autoregressive twin; resumable with --runs-dir (only by name)", DiversityExperiment.RunAsync),
    ("why-correction", "the experiment and the plot of docs/why-correction.md (only by name)", WhyCorrection.RunAsync),
];

if (args is [ControlPlaneBenchmark.Rest, var coordinator, var directory, var samplers, var steps])
{
    await ControlPlaneBenchmark.RestAsync(coordinator, directory, int.Parse(samplers, CultureInfo.InvariantCulture), int.Parse(steps, CultureInfo.InvariantCulture));
    return 0;
}

if (args is [LoadingBenchmark.Child, var checkpoint]) return LoadingBenchmark.Load(checkpoint);
if (args is [ActivationBenchmark.Child, var how]) return ActivationBenchmark.Run(how);

var (options, mistake) = Options.Parse(args, [.. benchmarks.Select(benchmark => benchmark.Name)]);
if (options is null)
{
    Console.Error.WriteLine($"error  {mistake}\nusage  dotnet run -c Release --project tests/Lateral.Benchmarks -- [NAME ...] [--quick] [--seeds N] [--runs-dir DIR]");
    foreach (var (name, what, _) in benchmarks) Console.Error.WriteLine($"       {name,-15} {what}");
    return 2;
}

NativeBootstrap.Load();
TorchThreads.Use(1);
var report = new Report(Console.Out);
report.Machine();
foreach (var (name, what, run) in benchmarks.Where(benchmark => options.Wants(benchmark.Name)))
{
    report.Title(name, what);
    try
    {
        await run(options, report);
    }
    catch (RunFailedException failure)
    {
        Console.Error.WriteLine($"error  {failure.Message}");
        return 1;
    }
}

return 0;
