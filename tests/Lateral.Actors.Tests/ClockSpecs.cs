using System.Collections.Immutable;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Lateral.Actors.Policies;
using Lateral.Actors.Sampling;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using Microsoft.Extensions.Time.Testing;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Sampling.SamplingProtocol;

namespace Lateral.Actors.Tests;

/// <summary>Deadlines go by the clock that never jumps, and progress, not presence, is what a sampler is judged by.</summary>
public sealed class ClockSpecs : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public ClockSpecs()
        : base(OursOnlySerializer.Configuration)
    {
    }

    [Fact]
    public async Task Wall_clock_that_jumps_by_an_hour_must_end_no_deadline()
    {
        var engines = new TestEngines();
        await using var host = await RunHost.StartAsync(TestEngines.Settings(_directory, steps: 12), engines.ToRunEngines(), new JumpingClock());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var status = await host.StatusAsync();
        Assert.Equal(0, status.Part(Parts.Dispatcher)!.Figure(Figures.Reissued));
        Assert.Empty(status.Notices);
        // A lease or a call that was broken off would have been sampled or scored again.
        Assert.Equal(72, engines.Sampled.Count);
        Assert.Equal(36, status.Ledger.Trained);
    }

    [Fact]
    public void Sampler_that_takes_no_step_within_the_rollouts_deadline_must_be_ended_with_the_reason()
    {
        using var held = new ManualResetEventSlim();
        var (engines, time, monitor, publisher) = (new TestEngines { SamplerFault = _ => !held.Wait(Soon) }, new FakeTimeProvider(), CreateTestProbe(), CreateTestProbe());
        var cache = Sys.ActorOf(Props.Create(() => new PolicyCacheActor(_ => new TestPolicyCache(), publisher, Soon, monitor)));
        var refs = new SamplerRefs(CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), cache, monitor);
        var sampler = Sys.ActorOf(Props.Create(() => new SamplerActor("n/cpu", TestEngines.Settings("", 4, 3, 1, false, "test"), refs, () => new TestSampler(engines), new TestPrompts(), time)));
        Watch(sampler);
        publisher.ExpectMsg<PolicyPublisherActor.GetPolicySource>(Soon);
        publisher.Reply(new PolicyPublisherActor.PolicySourceIs(PolicySource.RunDirectory));
        sampler.Tell(new PoliciesPublished([new PolicyManifest(1, 0, new string('0', 64), "", PayloadKind.Full, 1, "v0")]));
        sampler.Tell(new WorkLeased([new SampleWork(5, [0, 1], 0, false)]));
        monitor.FishForMessage(m => m is PartStatus { Phase: Phase.Sampling }, Soon);
        time.Advance(TimeSpan.FromSeconds(31));
        var failed = (PartFailed)monitor.FishForMessage(m => m is PartFailed, Soon);
        Assert.Equal("its engine holds 2 rollouts and has taken no denoising step for rollout.deadline (30 s)", failed.Failure.Reason);
        ExpectTerminated(sampler, Soon);
        held.Set();
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Monotone as ever; its wall clock is an hour fast and an hour slow in turn.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private int _asked;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromHours(Interlocked.Increment(ref _asked) % 2 == 0 ? 1 : -1);
    }
}
