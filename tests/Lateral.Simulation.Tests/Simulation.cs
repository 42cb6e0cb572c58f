using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Checks;
using Lateral.Simulation.Tests.Machine;
using Lateral.Simulation.Tests.Network;
using Lateral.Simulation.Tests.Storage;

namespace Lateral.Simulation.Tests;

/// <summary>
/// One run of the control plane on one thread: the product's actors, virtual time, a wire, a database and engines that fail
/// as the seed says. The same scenario runs the same, event for event.
/// </summary>
internal sealed class Simulation
{
    /// <summary>Virtual time a run may take to end once nothing fails any more: some deadlines of half a minute, one after the other.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly Config Configuration = ConfigurationFactory.ParseString("""
        {
          "akka": {
            "loglevel": "OFF", "stdout-loglevel": "OFF", "loggers": [], "log-dead-letters": "off", "log-dead-letters-during-shutdown": "off",
            "scheduler": { "implementation": "Lateral.Simulation.Tests.Machine.SimulationScheduler, Lateral.Simulation.Tests" },
            "actor": {
              "default-dispatcher": { "type": "Lateral.Simulation.Tests.Machine.SimulationDispatcherConfigurator, Lateral.Simulation.Tests" },
              "internal-dispatcher": { "type": "Lateral.Simulation.Tests.Machine.SimulationDispatcherConfigurator, Lateral.Simulation.Tests" }
            },
            "persistence": {
              "max-concurrent-recoveries": 50,
              "dispatchers": {
                "default-plugin-dispatcher": { "type": "Lateral.Simulation.Tests.Machine.SimulationDispatcherConfigurator, Lateral.Simulation.Tests" },
                "default-replay-dispatcher": { "type": "Lateral.Simulation.Tests.Machine.SimulationDispatcherConfigurator, Lateral.Simulation.Tests" },
                "default-stream-dispatcher": { "type": "Lateral.Simulation.Tests.Machine.SimulationDispatcherConfigurator, Lateral.Simulation.Tests" }
              },
              "journal": { "plugin": "simulated-journal" },
              "snapshot-store": { "plugin": "simulated-snapshots" }
            },
            "coordinated-shutdown": { "run-by-clr-shutdown-hook": "off", "run-by-actor-system-terminate": "off", "terminate-actor-system": "off" }
          },
          "simulated-journal": { "class": "Lateral.Simulation.Tests.Storage.JournalActor, Lateral.Simulation.Tests", "plugin-dispatcher": "akka.actor.default-dispatcher" },
          "simulated-snapshots": { "class": "Lateral.Simulation.Tests.Storage.SnapshotActor, Lateral.Simulation.Tests", "plugin-dispatcher": "akka.actor.default-dispatcher" }
        }
        """).WithFallback(Persistence.DefaultConfig());

    private readonly Scenario _scenario;
    private readonly ActorSystem _system;
    private readonly World _world;
    private readonly Wire _wire;
    private readonly Nodes _nodes;
    private readonly Dictionary<string, Process> _newest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Process Process, IActorRef Root)> _lives = new(StringComparer.Ordinal);
    private readonly Dictionary<(Process By, string Node), (Process Old, long Until)> _outdated = [];
    private bool _ledgerAgrees;

    private Simulation(Scenario scenario, Plant plant)
    {
        _scenario = scenario;
        _system = ActorSystem.Create("simulation", BootstrapSetup.Create().WithConfig(Configuration));
        var stage = ((SimulationScheduler)_system.Scheduler).Stage;
        stage.Dice = new Dice(scenario.Seed % Scenario.Stormy);
        var (disk, verdicts) = (new Disk(), new Verdicts());
        var journal = new Journal(stage)
        {
            Failures = scenario.JournalFailures,
            WithoutUniqueKey = plant == Plant.NoUniqueKey,
            AcknowledgesUnwritten = plant == Plant.AcknowledgedUnwritten,
            IsAlive = actor => ProcessOf(actor) is not { Alive: false },
        };
        SimulatedDatabase.Attach(_system, journal);
        _world = new World(scenario, plant, stage, disk, journal, new LedgerWatch(scenario.ToSettings().Ledger, disk, verdicts), verdicts);
        journal.Written = (id, change) =>
        {
            if (change is IRunEvent run) _world.Ledger.Note(run);
        };
        _wire = new Wire((ExtendedActorSystem)_system, stage, scenario.Weather, Seen) { Sent = Observe };
        Plants.Put(plant, _wire, _world);
        _nodes = new Nodes((ExtendedActorSystem)_system, _world, _wire);
    }

    /// <summary>Everything happens on the calling thread, which must have no synchronization context.</summary>
    public static Outcome Run(Scenario scenario, Plant plant = Plant.None) => new Simulation(scenario, plant).Run();

    private Outcome Run()
    {
        var stage = _world.Stage;
        foreach (var node in _nodes.Names) Begin(node);
        while (_world.Verdicts.Broken.Count == 0 && !(_world.Ledger.Finished && _ledgerAgrees))
        {
            if (_world.IsTroubled) Strike();
            else if (_wire.Faulty) Heal();
            _ledgerAgrees &= _world.Ledger.Finished;
            var alive = stage.Step() && stage.Elapsed < _scenario.Trouble + Patience;
            _world.Verdicts.Require(stage.Escape is null, "Simulation", $"work escaped its thread:\n{stage.Escape}");
            _world.Verdicts.Require(alive, "I10 Bounded", $"not finished {Patience.TotalMinutes} minutes after the last fault: {LedgerStatus.Of(_world.Ledger.Fold)}");
        }

        var weights = _world.Verdicts.Broken.Count == 0 ? OfflineReplay.Check(_world) : "";
        return new Outcome(_scenario, weights, stage.Elapsed, stage.Steps, stage.Trace, _world.Verdicts.Broken);
    }

    private void Begin(string node)
    {
        var life = _newest.TryGetValue(node, out var before) ? int.Parse(before.Name.AsSpan(node.Length + 1), System.Globalization.CultureInfo.InvariantCulture) + 1 : 1;
        var process = _newest[node] = new Process(node, life);
        _world.Stage.Trace.Add(_world.Stage.Now, before is { Alive: true } ? "overlaps" : "begins", process.Name);
        _lives[process.Name] = (process, _nodes.Start(process));
    }

    /// <summary>The old process lives on for a while beside its successor, and others learn of that one after it.</summary>
    private void Overlap(Process old)
    {
        var dice = _world.Stage.Dice;
        foreach (var (process, _) in _lives.Values.Where(life => life.Process.Alive))
            _outdated[(process, old.Node)] = (old, _world.Stage.Now + dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(8)).Ticks);
        Begin(old.Node);
        _world.Stage.At(dice.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)), () => Kill(old));
    }

    /// <summary>Whom a process takes for a node: itself if it is that node, its newest process once it has heard of it.</summary>
    private Process? Seen(Process by, string node)
    {
        if (by.Node == node) return by;
        return _outdated.TryGetValue((by, node), out var known) && known.Until > _world.Stage.Now ? known.Old : _newest.GetValueOrDefault(node);
    }

    private void Kill(Process process)
    {
        if (!process.Alive) return;
        _world.Stage.Trace.Add(_world.Stage.Now, "killed", process.Name);
        process.Alive = false;
        _system.Stop(_lives[process.Name].Root);
    }

    /// <summary>Perhaps a fault: a process dies at whatever message it is at, or gets a double, or two nodes lose sight of each other.</summary>
    private void Strike()
    {
        var dice = _world.Stage.Dice;
        if (!dice.Chance(_scenario.Faults)) return;
        // The two that write the run's order are struck as often as all others.
        var victim = _newest[dice.Chance(.5) ? dice.OneOf(Nodes.Coordinator, Nodes.Learner) : dice.OneOf(_nodes.Names.AsSpan())];
        switch (dice.Below(4))
        {
            case 0:
                var other = dice.OneOf(_nodes.Names.AsSpan());
                _wire.Cut(victim.Node, other, dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15)));
                _world.Stage.Trace.Add(_world.Stage.Now, "cut", $"{victim.Node} {other}");
                break;
            case 1 when _scenario.Overlaps && victim.Alive:
                Overlap(victim);
                break;
            case > 0 when victim.Alive:
                Kill(victim);
                _world.Stage.At(dice.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(12)), () => Begin(victim.Node));
                break;
        }
    }

    private void Heal()
    {
        _world.Stage.Trace.Add(_world.Stage.Now, "healed", "");
        _wire.Faulty = false;
        _wire.Heal();
        _world.Journal.Failures = 0;
    }

    /// <summary>
    /// Whatever the ledger says of itself must be what the journal says, unless another has written since it last read: that it
    /// learns at its next write, and a finished run has none.
    /// </summary>
    private void Observe(Process from, object message, IActorRef sender)
    {
        if (message is Actors.Runs.RunProtocol.LearnerFenced) _world.Stage.Trace.Add(_world.Stage.Now, "fenced", from.Name, message);
        if (message is not LedgerStatus live) return;
        if (_world.Journal.IsUpToDate(sender, $"run-{Scenario.Run}")) _world.Ledger.Compare(live);
        _ledgerAgrees = live.Finished && from == _newest[Nodes.Coordinator];
    }

    private Process? ProcessOf(IActorRef actor) => actor.Path.Elements.Count > 1 && _lives.TryGetValue(actor.Path.Elements[1], out var life) ? life.Process : null;
}

/// <summary>What came of one simulated run.</summary>
/// <param name="Weights">after the last step, as the journal replays to; empty when an invariant broke</param>
/// <param name="Broken">invariants that did not hold</param>
internal sealed record Outcome(Scenario Scenario, string Weights, TimeSpan Elapsed, long Steps, Trace Trace, IReadOnlyList<string> Broken);
