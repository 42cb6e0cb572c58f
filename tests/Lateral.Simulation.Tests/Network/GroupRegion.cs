using System.Globalization;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Lateral.Actors.Rollouts;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Network;

/// <summary>
/// In the place of cluster sharding: a child per ordinal, made by the first message for it, buffered for while it passivates,
/// started again when it stopped by itself.
/// </summary>
internal sealed class GroupRegion : ReceiveActor
{
    private readonly Func<long, Props> _entity;
    private readonly Dictionary<long, IActorRef> _entities = [];
    private readonly Dictionary<long, List<(object Message, IActorRef Sender)>> _leaving = [];
    private int _made;

    public GroupRegion(Func<long, Props> entity, Stage stage)
    {
        _entity = entity;
        Receive<IGroupMessage>(message => Hand(message, Sender));
        Receive<Passivate>(passivate =>
        {
            if (OrdinalOf(Sender) is not { } group || !_leaving.TryAdd(group, [])) return;
            Sender.Tell(passivate.StopMessage);
        });
        Receive<Terminated>(gone =>
        {
            if (OrdinalOf(gone.ActorRef) is not { } group) return;
            _entities.Remove(group);
            if (_leaving.Remove(group, out var waiting))
            {
                foreach (var (message, sender) in waiting) Hand((IGroupMessage)message, sender);
                return;
            }

            var self = Self;
            stage.Trace.Add(stage.Now, "stopped", gone.ActorRef.Path.ToStringWithoutAddress());
            stage.At(TimeSpan.FromSeconds(1), () => self.Tell(new Again(group)));
        });
        Receive<Again>(again => Entity(again.Group));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Hand(IGroupMessage message, IActorRef sender)
    {
        if (_leaving.TryGetValue(message.Group, out var waiting)) waiting.Add((message, sender));
        else Entity(message.Group).Tell(message, sender);
    }

    private IActorRef Entity(long group)
    {
        if (_entities.TryGetValue(group, out var entity)) return entity;
        return _entities[group] = Context.Watch(Context.ActorOf(_entity(group), string.Create(CultureInfo.InvariantCulture, $"{group}~{_made++}")));
    }

    private long? OrdinalOf(IActorRef entity)
    {
        var group = long.Parse(entity.Path.Name.AsSpan(0, entity.Path.Name.IndexOf('~', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        return _entities.TryGetValue(group, out var known) && known.Equals(entity) ? group : null;
    }

    private sealed record Again(long Group);
}
