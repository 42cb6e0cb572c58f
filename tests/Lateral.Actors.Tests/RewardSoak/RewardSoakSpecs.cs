using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Rewards.Code;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Tests.Judging;
using Lateral.Rewards.Verifiers;
using Lateral.Tests;
using Xunit.Abstractions;

namespace Lateral.Actors.Tests.RewardSoak;

/// <summary>
/// A real run with three reward pools whose infrastructure fails all the time: sandboxes are killed, the judge resets connections, says 500 and is down for a while, a verifier has no memory. With
/// LATERAL_SOAK=1 it takes 10,000 scorings and some minutes, otherwise a tenth of it.
/// </summary>
[Collection(SandboxKiller.Victims)]
public sealed partial class RewardSoakSpecs(ITestOutputHelper log) : IDisposable
{
    private const int GroupsPerStep = 32, GroupSize = 4;

    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    private static int Steps { get; } = Environment.GetEnvironmentVariable("LATERAL_SOAK") == "1" ? 27 : 3;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SoakFact]
    public async Task Faults_of_the_infrastructure_must_never_become_numbers_lose_nothing_and_have_a_cause()
    {
        var down = false;
        await using var server = new JudgeServer(Behave.By(call => Answer(call, Volatile.Read(ref down))));
        var (code, judge, exact) = (Code(), Judge(server.Url), Exact());
        var engines = new TestEngines();
        var settings = TestEngines.Settings(_directory, Steps, GroupsPerStep, eta: 1) with
        {
            Rollout = new RolloutSettings(GroupsPerStep, GroupSize, new RolloutSpec(2, 2, 2, 1, "random", false), TimeSpan.FromSeconds(30)),
            Pools = [Pool("code", 4), Pool("judge", 8), Pool("exact", 2)],
        };
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines() with { Rewards = ImmutableDictionary<string, IReward>.Empty.Add("code", code).Add("judge", judge).Add("exact", exact) }))
        {
            // While most of what the judge will be asked is still to come.
            await UntilAsync(host, _ => judge.Asked >= Steps * GroupsPerStep * GroupSize / 3);
            Volatile.Write(ref down, true);
            await UntilAsync(host, status => status.Ledger.PausedFor == "judge");
            Volatile.Write(ref down, false);
            await host.Completion.WaitAsync(TimeSpan.FromMinutes(20));
        }

        var (asked, faults) = (code.Asked + judge.Asked + exact.Asked, code.Faults + judge.Faults + exact.Faults);
        log.WriteLine($"{asked:N0} scorings, {faults:N0} faults ({(double)faults / asked:P1}): code {code.Faults}/{code.Asked}, judge {judge.Faults}/{judge.Asked}, exact {exact.Faults}/{exact.Asked}");
        Assert.InRange((double)faults / asked, 0.04, 0.2);
        Assert.All((SoakReward[])[code, judge, exact], reward => Assert.True(reward.Faults > 0));

        // Lost: the ledger balances, and every group was trained or given up.
        Assert.Empty(JournalAudit.Run(settings).Violations);
        var events = RunJournal.Events(settings);
        var filtered = events.OfType<GroupFiltered>().ToDictionary(group => group.Ordinal, group => group.Reason);
        var trained = engines.Batches.SelectMany(batch => batch.Groups).ToDictionary(group => group.Ordinal);
        Assert.Equal(events.OfType<GroupIssued>().Count(), trained.Count + filtered.Count);
        Assert.Equal(Steps * GroupsPerStep, trained.Count);

        // Quarantined: with a cause, and every poison one is. A healthy group is, where three tries have failed by chance.
        Assert.All(filtered.Values, reason => Assert.Matches("^reward pool '(code|judge|exact)' failed 3 times: .{8,}", reason));
        Assert.All(filtered.Keys.Concat(trained.Keys).Where(SoakFaults.IsPoison), group => Assert.Matches("^reward pool 'exact' failed 3 times: (OutOfMemoryException|no answer within)", filtered[group]));
        log.WriteLine($"{trained.Count} groups trained, {filtered.Count} quarantined, {filtered.Keys.Count(SoakFaults.IsPoison)} of them poison");

        // Numbers: each is what the rollout is worth, to the last one.
        foreach (var sibling in trained.Values.SelectMany(group => group.Siblings))
        {
            var (program, judged, text) = SoakFaults.Expected(sibling.Trajectory.Id);
            Assert.Equal((program, judged, text), (sibling.Breakdown["code"], Math.Round(sibling.Breakdown["judge"], 6), sibling.Breakdown["exact"]));
            Assert.Equal(program + judged + text, sibling.Reward, 1e-6);
        }
    }

    private static RewardPoolSpec Pool(string name, int workers) => new(name, name, workers, 1, TimeSpan.FromSeconds(60), -7);

    /// <summary>Programs in the sandbox; one that is struck waits inside until its interpreter is killed.</summary>
    private static SoakReward Code()
    {
        var reference = new CodeProblem.Mbpp("", ["assert answer() == 1"]).ToReference();
        var code = VerifierRegistry.Create("code", new Dictionary<string, string> { ["value"] = "all", ["time-limit"] = "30", ["memory-limit"] = "128", ["processes"] = "8", ["slots"] = "2", ["accept-unsandboxed"] = "off" });
        return new SoakReward(code, (request, attempt) =>
        {
            var struck = SoakFaults.Strikes("code", request.Id, attempt);
            if (struck) _ = KillSoonAsync();
            return request with { Prompt = request.Prompt with { Reference = reference }, Completion = $"import time\ndef answer():\n    time.sleep({(struck ? 20 : 0)})\n    return {SoakFaults.Expected(request.Id).Program}\n" };
        });
    }

    /// <summary>Every interpreter that is there: those of others fail with it, which counts as well.</summary>
    private static async Task KillSoonAsync()
    {
        for (var i = 0; i < 40; i++)
        {
            await Task.Delay(250);
            if (i > 0 && SandboxKiller.KillInterpreters() > 0) return;
        }
    }

    private static SoakReward Judge(string url)
    {
        var judge = VerifierRegistry.Create("judge", new Dictionary<string, string>
        {
            ["url"] = url,
            ["model"] = "m",
            ["structured"] = "on",
            ["scale-min"] = "0",
            ["scale-max"] = "10",
            ["pass-mark"] = "0.5",
            ["max-reply-tokens"] = "64",
            ["retries"] = "0",
            ["attempt-seconds"] = "20",
            ["backoff-seconds"] = "0.1",
            ["longest-wait-seconds"] = "1",
            ["in-flight"] = "8",
            ["max-requests"] = "0",
            ["max-tokens"] = "0",
            ["cache-entries"] = "100000",
        });
        return new SoakReward(judge, (request, attempt) => request with
        {
            Prompt = request.Prompt with { Text = $"question {request.Id}" },
            Completion = $"worth={SoakFaults.Expected(request.Id).Judged * 10:0}; {(SoakFaults.Strikes("judge", request.Id, attempt) ? $"struck={attempt}" : "")}",
        });
    }

    private static Behaviour Answer(HttpCall call, bool down)
    {
        if (down) return Behave.Reset;
        if (call.Body.Contains("struck=", StringComparison.Ordinal)) return call.Body.Length % 2 == 0 ? Behave.Reset : Behave.Status(503, "no worker");
        return Behave.Score(double.Parse(Worth().Match(call.Body).Groups["worth"].Value, System.Globalization.CultureInfo.InvariantCulture));
    }

    private static SoakReward Exact()
    {
        var exact = VerifierRegistry.Create("exact", new Dictionary<string, string> { ["trim"] = "on", ["ignore-case"] = "off" });
        return new SoakReward(exact, (request, attempt) =>
        {
            if (SoakFaults.IsPoison(request.Id.Group) || SoakFaults.Strikes("exact", request.Id, attempt)) throw new OutOfMemoryException("injected: no memory for the verifier");
            return request with { Prompt = request.Prompt with { Reference = "yes" }, Completion = SoakFaults.Expected(request.Id).Exact == 1 ? "yes" : "no" };
        });
    }

    private static async Task UntilAsync(RunHost host, Func<RunStatus, bool> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        while (!holds(await host.StatusAsync()))
        {
            if (host.Completion.IsCompleted)
            {
                await host.Completion;
                Assert.Fail("the run has finished before that");
            }

            await Task.Delay(100, deadline.Token);
        }
    }

    [GeneratedRegex("worth=(?<worth>[0-9]+);", RegexOptions.ExplicitCapture)]
    private static partial Regex Worth();
}

/// <summary>Skipped, saying why, where programs cannot be run in a sandbox.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SoakFactAttribute : FactAttribute
{
    public SoakFactAttribute() => Skip = Missing;

    /// <summary>Whether it reads the shared folder as well.</summary>
    public bool Shared
    {
        get => false;
        set => Skip ??= value && SharedFolder.Root is null ? "needs the data in ../shared, which this checkout does not have" : null;
    }

    private static string? Missing { get; } = Find();

    private static string? Find()
    {
        try
        {
            PythonSandbox.OpenAsync(new SandboxSettings { Slots = 1 }, CancellationToken.None).GetAwaiter().GetResult().DisposeAsync().AsTask().Wait();
            return null;
        }
        catch (SandboxUnavailableException missing)
        {
            return missing.Message;
        }
    }
}
