using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>
/// A stranger that reaches the port of a live node. Each attack is first seen to work against Akka's own defaults, so that its
/// failure against a node of ours proves something.
/// </summary>
public sealed class HostilePeerSpecs : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly Config Defaults = ConfigurationFactory.ParseString(
        "akka { loglevel = OFF, stdout-loglevel = OFF, actor.provider = remote, remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 } }");

    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;
    private readonly ActorSystem _stranger = ActorSystem.Create("stranger", Defaults);
    private readonly ActorSystem _unguarded = ActorSystem.Create("lateral", Defaults);
    private RunHost _host = null!;

    public async Task InitializeAsync()
    {
        _unguarded.ActorOf(Props.Create(() => new Sink()), "run");
        _host = await RunHost.StartAsync(TestEngines.Settings(_directory, steps: 1_000_000), new TestEngines().ToRunEngines());
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _stranger.Terminate();
        await _unguarded.Terminate();
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Json_frame_that_names_a_type_must_be_refused_before_it_creates_anything(bool bySelection)
    {
        var (sprung, safe) = (Path.Combine(_directory, "sprung"), Path.Combine(_directory, "safe"));
        Send(UnguardedAddress, new Trap { Path = sprung }, bySelection);
        await Eventually(() => File.Exists(sprung));

        Send(_host.Address, new Trap { Path = safe }, bySelection);
        await Refused("Cannot find serializer with id [1]");
        Assert.False(File.Exists(safe));
        await Alive();
    }

    [Fact]
    public async Task Remote_deployment_must_start_no_actor()
    {
        var (sprung, safe) = (Path.Combine(_directory, "sprung"), Path.Combine(_directory, "safe"));
        Deploy(UnguardedAddress, sprung);
        await Eventually(() => File.Exists(sprung));

        Deploy(_host.Address, safe);
        await Refused("Cannot find serializer with id [3]");
        Assert.False(File.Exists(safe));
        await Alive();
    }

    [Fact]
    public async Task Exception_must_not_call_the_constructor_of_a_type_it_names()
    {
        var (sprung, safe) = (Path.Combine(_directory, "sprung"), Path.Combine(_directory, "safe"));
        Send(UnguardedAddress, new Status.Failure(new TrapException(sprung)), bySelection: false);
        await Eventually(() => File.Exists(sprung));

        Send(_host.Address, new Status.Failure(new TrapException(safe)), bySelection: false);
        await Refused("Cannot find serializer with id [16]");
        Assert.False(File.Exists(safe));
        await Alive();
    }

    public static TheoryData<object, int> Killers { get; } = new() { { PoisonPill.Instance, 16 }, { Kill.Instance, 16 }, { new Terminate(), 22 }, { new Recreate(new IOException()), 22 } };

    [Theory]
    [MemberData(nameof(Killers))]
    public async Task Actor_of_a_node_must_not_be_stopped_or_restarted_from_outside(object killer, int serializer)
    {
        var gone = new TaskCompletionSource();
        _unguarded.ActorOf(Props.Create(() => new Victim(gone)), "victim");
        Send(UnguardedAddress, killer, bySelection: false, "/user/victim");
        await gone.Task.WaitAsync(Soon);

        foreach (var path in new[] { "/user/run", "/user/run/singleton", "/user/run/singleton/run", "/user/reward-answer" }) Send(_host.Address, killer, bySelection: false, path);
        await Refused($"Cannot find serializer with id [{serializer}]");
        await Alive();
    }

    private string UnguardedAddress => $"127.0.0.1:{((ExtendedActorSystem)_unguarded).Provider.DefaultAddress.Port}";

    private void Send(string address, object message, bool bySelection, string path = "/user/run")
    {
        var target = $"akka.tcp://lateral@{address}{path}";
        if (bySelection) _stranger.ActorSelection(target).Tell(message);
        else ((ExtendedActorSystem)_stranger).Provider.ResolveActorRef(target).Tell(message, ActorRefs.NoSender);
    }

    private void Deploy(string address, string path) =>
        _stranger.ActorOf(Props.Create(() => new Intruder(path)).WithDeploy(new Deploy(new RemoteScope(Address.Parse($"akka.tcp://lateral@{address}")))));

    private Task Refused(string why) => Eventually(() => File.ReadAllText(Path.Combine(_directory, "logs", "lateral.log")).Contains(why, StringComparison.Ordinal));

    /// <summary>The run goes on: two more steps, from whatever it has now.</summary>
    private async Task Alive()
    {
        var version = (await _host.StatusAsync()).Ledger.Version;
        RunStatus now;
        using var deadline = new CancellationTokenSource(Soon);
        while ((now = await _host.StatusAsync()).Ledger.Version < version + 2) await Task.Delay(50, deadline.Token);
        Assert.Null(now.Failed);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        while (!condition()) await Task.Delay(50, deadline.Token);
    }

    /// <summary>Writes a file when it is filled from a message.</summary>
    public sealed class Trap
    {
        private string _path = "";

        public string Path
        {
            get => _path;
            set
            {
                // Filled by the sender too, which does not touch the file system.
                if (Environment.StackTrace.Contains("Newtonsoft", StringComparison.Ordinal)) File.WriteAllText(value, "sprung");
                _path = value;
            }
        }
    }

    /// <summary>Writes a file when it is started.</summary>
    public sealed class Intruder(string path) : UntypedActor
    {
        protected override void PreStart() => File.WriteAllText(path, Self.Path.ToString());

        protected override void OnReceive(object message) => Unhandled(message);
    }

    /// <summary>Writes a file when it is read from a message; its own message is the path.</summary>
    public sealed class TrapException : Exception
    {
        public TrapException(string path)
            : base(path)
        {
        }

        private TrapException(SerializationInfo info, StreamingContext context)
        {
            _ = context;
            File.WriteAllText(info.GetString("Message")!, "sprung");
        }
    }

    public sealed class Victim(TaskCompletionSource gone) : UntypedActor
    {
        protected override void PostStop() => gone.TrySetResult();

        protected override void OnReceive(object message) => Unhandled(message);
    }

    public sealed class Sink : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }
    }
}
