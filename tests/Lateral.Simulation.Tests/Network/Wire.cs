using Akka.Actor;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Network;

/// <summary>
/// What lies between nodes. Akka promises at most once and order per pair; a seed without <see cref="Weather.Reorder"/> and
/// duplicates keeps to that, the others go beyond it, as reconnecting and retrying layers do. Messages within a process arrive at once.
/// </summary>
internal sealed class Wire(ExtendedActorSystem system, Stage stage, Weather weather, Func<Process, string, Process?> seen)
{
    private static readonly TimeSpan AskDeadline = TimeSpan.FromSeconds(10);

    private readonly Dictionary<(Process, Process), long> _lastArrival = [];
    private readonly Dictionary<(string, string), long> _cutUntil = [];

    /// <summary>Off once the faults are over.</summary>
    public bool Faulty { get; set; } = true;

    /// <summary>Sees every message that is sent, by whom and to which part.</summary>
    public Action<Process, object, IActorRef>? Sent { get; set; }

    /// <summary>Whether a message is sent at all, and what arrives in its place: yes and itself, but for planted bugs.</summary>
    public Func<object, bool> Leaves { get; set; } = _ => true;

    public Func<object, object> Arriving { get; set; } = message => message;

    /// <summary>A part of a node as a cluster proxy shows it: whoever the sender believes to have it when the message arrives.</summary>
    public IActorRef To(Process from, string node, string part) =>
        new WireRef(this, system, from, system.Provider.RootPath / "wire" / part, () => seen(from, node) is { } process && process.Parts.TryGetValue(part, out var actor) ? (process, actor) : null);

    /// <summary>A part of one's own process, for messages that never leave it.</summary>
    public IActorRef Within(Process process, string part) =>
        new WireRef(this, system, process, system.Provider.RootPath / "wire" / part, () => process.Parts.TryGetValue(part, out var actor) ? (process, actor) : null);

    public void Cut(string one, string other, TimeSpan time) => _cutUntil[Pair(one, other)] = stage.Now + time.Ticks;

    public void Heal() => _cutUntil.Clear();

    public void Send(Process from, Func<(Process Process, IActorRef Actor)?> to, string part, object message, IActorRef sender)
    {
        if (!from.Alive || !Leaves(message)) return;
        Sent?.Invoke(from, message, sender);
        if (sender is FutureActorRef<object> asker) Questions.Prepare(asker, stage, from, AskDeadline);
        if (to() is not { } now)
        {
            stage.Trace.Add(stage.Now, "nobody", part, message);
            return;
        }

        if (now.Process == from)
        {
            stage.Trace.Add(stage.Now, "told", part, message);
            now.Actor.Tell(Arriving(message), sender);
            return;
        }

        var cut = _cutUntil.TryGetValue(Pair(from.Node, now.Process.Node), out var until) && until > stage.Now;
        if (Faulty && (cut || stage.Dice.Chance(weather.Loss)))
        {
            stage.Trace.Add(stage.Now, "lost", part, message);
            return;
        }

        Carry(from, now.Process, to, part, message, sender);
        if (!Faulty || !stage.Dice.Chance(weather.Duplicates)) return;
        stage.Trace.Add(stage.Now, "doubled", part, message);
        Carry(from, now.Process, to, part, message, sender);
    }

    /// <summary>Reliable, unlike messages: Akka repeats system messages, and its failure detector speaks for the dead.</summary>
    public void Notify(TimeSpan after, Action deliver) => stage.At(after, deliver);

    public IActorRef Back(Process from, Process to, IActorRef actor) =>
        actor.IsNobody() ? ActorRefs.Nobody : new WireRef(this, system, from, actor.Path, () => (to, actor));

    public TimeSpan DetectionTime() => stage.Dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));

    private void Carry(Process from, Process toward, Func<(Process Process, IActorRef Actor)?> to, string part, object message, IActorRef sender)
    {
        var slow = Faulty && stage.Dice.Chance(weather.Slow);
        var arrival = stage.Now + stage.Dice.Between(TimeSpan.FromMilliseconds(1), slow ? weather.Slowest : TimeSpan.FromMilliseconds(15)).Ticks;
        if (!weather.Reorder)
        {
            arrival = Math.Max(arrival, _lastArrival.GetValueOrDefault((from, toward)) + 1);
            _lastArrival[(from, toward)] = arrival;
        }

        stage.At(TimeSpan.FromTicks(arrival - stage.Now), () =>
        {
            // A proxy's target may have moved while the message was on its way.
            if (to() is not { Process.Alive: true } found)
            {
                stage.Trace.Add(stage.Now, "nobody", part, message);
                return;
            }

            stage.Trace.Add(stage.Now, "arrives", part, message);
            found.Actor.Tell(Arriving(message), Back(found.Process, from, sender));
        });
    }

    private static (string, string) Pair(string one, string other) => string.CompareOrdinal(one, other) < 0 ? (one, other) : (other, one);
}

/// <summary>How unreliable the wire is, while it is.</summary>
/// <param name="Loss">probability that a message never arrives</param>
/// <param name="Duplicates">probability that it arrives twice</param>
/// <param name="Slow">probability that it takes up to <paramref name="Slowest"/></param>
/// <param name="Reorder">messages of one pair of nodes may overtake each other</param>
internal sealed record Weather(double Loss, double Duplicates, double Slow, TimeSpan Slowest, bool Reorder)
{
    public static Weather Fair { get; } = new(0, 0, 0, TimeSpan.Zero, false);
}
