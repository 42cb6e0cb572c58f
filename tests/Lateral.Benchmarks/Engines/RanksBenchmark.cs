using Lateral.Benchmarks.Measuring;
using Lateral.Core.Learning;
using Lateral.Diffusion.Learning;
using Lateral.Node.Gradients;
using Lateral.Node.PolicySync;

namespace Lateral.Benchmarks.Engines;

/// <summary>
/// What a second rank gives: the same step by one rank and by two, one thread each, the second one's weights and gradients
/// over HTTP on loopback as between machines.
/// </summary>
internal static class RanksBenchmark
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task RunAsync(Options options, Report report)
    {
        await MeasureAsync(Workload.Medium with { Groups = 8, Siblings = 4, Slots = 32 }, options.Quick ? 3 : 11, report);
        await MeasureAsync(Workload.Quickstart, options.Quick ? 5 : 21, report);
    }

    private static async Task MeasureAsync(Workload workload, int repetitions, Report report)
    {
        using var folder = new TemporaryFolder();
        var batch = await LearnerWorkload.BatchAsync(workload, folder.Path);
        var (one, two) = (Path.Combine(folder.Path, "one"), Path.Combine(folder.Path, "two"));
        await using var alone = LearnerWorkload.Learner(workload, one, repetitions + 1);
        var shared = new SharedGradients(2, Deadline, TimeProvider.System);
        await using var learner = LearnerWorkload.Learner(workload, two, repetitions + 1, shared);
        await using var second = await SecondRank.StartAsync(workload, two, shared);
        await alone.PrepareBaseAsync(new Unwatched(), default);
        await learner.PrepareBaseAsync(new Unwatched(), default);

        var (pairs, same) = (new List<Pair>(), true);
        for (var step = 1; step <= repetitions + 1; step++)
        {
            var start = Cost.Now;
            var together = await learner.TrainAsync(batch.AtStep(step), default);
            var middle = Cost.Now;
            var single = await alone.TrainAsync(batch.AtStep(step), default);
            same &= together.Policy.Hash == single.Policy.Hash;
            // The first pair pays for compilation and first allocations.
            if (step > 1) pairs.Add(new Pair(middle - start, Cost.Now - middle));
        }

        report.Line($"{workload.Name}: a step of two ranks over one of one, wall {Spread.Of(pairs.Select(pair => pair.WallRatio))}, cpu {Spread.Of(pairs.Select(pair => pair.CpuRatio))}");
        report.Line($"    {1e3 * Spread.Of(pairs.Select(pair => pair.Bare.Wall)).Median:0} ms by one rank, {second.Shards} of {(repetitions + 1) * LearnerWorkload.Algorithm.Shards} shards by the second; weights {(same ? "the same to the bit" : "DIFFERENT")}");
    }

    /// <summary>Takes a shard whenever one is open, as the actors would tell it.</summary>
    private sealed class SecondRank : IAsyncDisposable
    {
        private readonly GradientRank _engine;
        private readonly PolicyServer _server;
        private readonly HttpPolicyCache _cache;
        private readonly HttpGradientSink _sink;
        private Task _work = Task.CompletedTask;

        private SecondRank(GradientRank engine, PolicyServer server, HttpPolicyCache cache, HttpGradientSink sink) => (_engine, _server, _cache, _sink) = (engine, server, cache, sink);

        public int Shards { get; private set; }

        public static async Task<SecondRank> StartAsync(Workload workload, string learner, SharedGradients shared)
        {
            var token = PolicyToken.Draw();
            var settings = new PolicyServerSettings("127.0.0.1", 0, 4, Deadline, token, null) { Beside = new(GradientFormat.Path, new GradientRequests(shared, 4).AnswerAsync) };
            var server = await PolicyServer.StartAsync(new PublishedPolicies(Path.Combine(learner, "policies")), settings, default);
            var cache = new HttpPolicyCache(new PolicyCacheSettings(server.Address, Path.Combine(learner, "cache"), 2, Deadline, Deadline, token, null));
            var rank = new SecondRank(new GradientRank(LearnerWorkload.Settings(workload, learner, 1000), workload.Network), server, cache, new HttpGradientSink(server.Address, token, null));
            shared.Begun = update => rank._work = Task.Run(() => rank.WorkAsync(shared, update));
            return rank;
        }

        public async ValueTask DisposeAsync()
        {
            await _work;
            await _engine.DisposeAsync();
            _sink.Dispose();
            _cache.Dispose();
            await _server.DisposeAsync();
        }

        private async Task WorkAsync(SharedGradients shared, GradientUpdate update)
        {
            while (shared.Current!.TryTake("second") is { } shard)
            {
                await _engine.LoadAsync(update.Weights!, await _cache.FetchAsync(update.Weights!, default), default);
                var (gradient, report) = await _engine.ComputeAsync(update, shard, default);
                if (await _sink.SendAsync(update.Key, shard, gradient, report, default)) Shards++;
            }
        }
    }
}
