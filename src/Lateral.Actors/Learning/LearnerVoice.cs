using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Runs;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>
/// What a learner says of itself. Its phase changes on the engine's tasks and is repeated on the actor's tick, so the last
/// status is one immutable value that either may replace.
/// </summary>
internal sealed class LearnerVoice(IActorRef monitor)
{
    private volatile PartStatus _learner = new(Parts.Learner, Phase.Starting);
    private volatile PartStatus _recorder = new(Parts.Recorder, Phase.Idle);

    public void Enter(Phase phase, string? subject = null) => Say(new PartStatus(Parts.Learner, phase, subject));

    public void Wait(string on, string what) => Say(new PartStatus(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(on, what)));

    /// <summary>Told with the next tick: progress comes many times a second.</summary>
    public void Progress(int done, int of) => _learner = _learner.With(Figures.Done, done).With(Figures.Of, of);

    /// <summary>How long the last step took, for comparison with the next ones.</summary>
    public void Stepped(ImmutableSortedDictionary<string, double> metrics) => _learner = _learner
        .With(Figures.StepSeconds, metrics.GetValueOrDefault("time/seconds"))
        .With(Figures.TokensPerSecond, metrics.GetValueOrDefault("rate/tokens_per_second"));

    public void Recording(int step, bool checkpoint) => _recorder = new PartStatus(Parts.Recorder, Phase.Saving, $"step {step}{(checkpoint ? " and its checkpoint" : "")}");

    public void Repeat(bool recording)
    {
        monitor.Tell(_learner);
        monitor.Tell(recording ? _recorder : new PartStatus(Parts.Recorder, Phase.Idle));
    }

    /// <summary>Something of a step that the user should know.</summary>
    public void Notice(string text) => monitor.Tell(new RunProtocol.Notice(text));

    public void Failed(Exception cause) => monitor.Tell(RunProtocol.PartFailed.Of(Parts.Learner, cause));

    private void Say(PartStatus status)
    {
        // The last step's figures stay true; progress belongs to one phase.
        _learner = status with { Figures = _learner.Figures.Remove(Figures.Done).Remove(Figures.Of) };
        monitor.Tell(_learner);
    }
}
