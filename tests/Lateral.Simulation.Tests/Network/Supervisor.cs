using Akka.Actor;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Network;

/// <summary>Starts a process's parts and starts each again, after a back-off, whenever it stops: the product's BackoffSupervisor with the simulation's dice.</summary>
internal sealed class Supervisor : ReceiveActor
{
    private readonly Process _process;
    private readonly IReadOnlyList<(string Name, Props Props)> _parts;
    private readonly Dictionary<string, int> _lives = new(StringComparer.Ordinal);

    public Supervisor(Process process, IReadOnlyList<(string Name, Props Props)> parts, Stage stage)
    {
        (_process, _parts) = (process, parts);
        Receive<Begin>(begin => Start(begin.Part));
        Receive<Terminated>(gone =>
        {
            var part = process.Parts.First(pair => pair.Value.Equals(gone.ActorRef)).Key;
            process.Parts.Remove(part);
            var self = Self;
            stage.Trace.Add(stage.Now, "stopped", gone.ActorRef.Path.ToStringWithoutAddress());
            stage.At(stage.Dice.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2)), () => self.Tell(new Begin(part)));
        });
    }

    protected override void PreStart()
    {
        foreach (var (name, _) in _parts) Start(name);
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Start(string part)
    {
        if (!_process.Alive) return;
        var life = _lives[part] = _lives.GetValueOrDefault(part) + 1;
        _process.Parts[part] = Context.Watch(Context.ActorOf(_parts.First(one => one.Name == part).Props, life == 1 ? part : $"{part}~{life}"));
    }

    private sealed record Begin(string Part);
}
