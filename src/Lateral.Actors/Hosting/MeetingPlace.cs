using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Lateral.Core.Runs;

namespace Lateral.Actors.Hosting;

/// <summary>Where a node looks for the others. The first address of an answer may begin the cluster, every other joins.</summary>
internal abstract class MeetingPlace : IDisposable
{
    /// <summary>As it is told to a user who waits.</summary>
    public abstract string Name { get; }

    /// <summary>Asked about once a second until the node has joined; none = nobody is there yet.</summary>
    public abstract Task<ImmutableArray<Address>> FindAsync(CancellationToken cancellation);

    public virtual void Dispose()
    {
    }

    /// <exception cref="RunHostException">an address cannot be read, or the folder cannot be written</exception>
    public static MeetingPlace Of(ClusterSettings settings, RunNode node, Address self) => (node.Seeds.IsEmpty ? settings : settings with { Seeds = node.Seeds }) switch
    {
        { Directory: { } folder } => new SharedFolder(folder, node, self),
        { Dns: { } name } => new DnsName(name, self),
        { Seeds: { IsEmpty: false } seeds } => new KnownAddresses([.. seeds.Select(seed => AddressOf(seed, self))]),
        _ => new KnownAddresses([self]),
    };

    /// <exception cref="RunHostException">not host:port</exception>
    protected static Address AddressOf(string text, Address self) =>
        text.LastIndexOf(':') is > 0 and var colon && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? self.WithHost(text[..colon]).WithPort(port)
            : throw new RunHostException($"'{text}' is no node's address: it should be host:port, for example 10.0.0.7:4053");

    protected static string Text(Address address) => $"{address.Host}:{address.Port}";

    private sealed class KnownAddresses(ImmutableArray<Address> addresses) : MeetingPlace
    {
        public override string Name => string.Join(", ", addresses.Select(Text));

        public override Task<ImmutableArray<Address>> FindAsync(CancellationToken cancellation) => Task.FromResult(addresses);
    }

    private sealed class DnsName(string name, Address self) : MeetingPlace
    {
        public override string Name => $"{name} (DNS)";

        public override async Task<ImmutableArray<Address>> FindAsync(CancellationToken cancellation)
        {
            var address = AddressOf(name, self);
            try
            {
                var found = await Dns.GetHostAddressesAsync(address.Host, AddressFamily.InterNetwork, cancellation);
                return [.. found.OrderBy(ip => ip.GetAddressBytes(), ByteOrder.Instance).Select(ip => address.WithHost(ip.ToString()))];
            }
            catch (SocketException)
            {
                // A name is registered when its first process is up: until then nobody is there.
                return [];
            }
        }
    }

    /// <summary>
    /// One file a node, touched as long as the node looks for others. Which of them are alive is told from the age of the own
    /// file in the same folder, so the clocks of nodes and file server need not agree.
    /// </summary>
    private sealed class SharedFolder : MeetingPlace
    {
        private static readonly TimeSpan Alive = TimeSpan.FromSeconds(15), Beat = TimeSpan.FromSeconds(3);

        private readonly string _folder;
        private readonly string _own;
        private readonly bool _coordinator;
        private readonly Address _self;
        private readonly Timer _beat;

        public SharedFolder(string folder, RunNode node, Address self)
        {
            (_folder, _self, _coordinator) = (folder, self, node.Has(NodeRoles.Coordinator));
            // Coordinators come first in the order of names, because only they may begin a cluster.
            _own = Path.Combine(folder, $"{(_coordinator ? "a" : "b")}-{self.Host}-{self.Port}.node");
            try
            {
                Directory.CreateDirectory(folder);
                File.WriteAllText(_own, Text(self));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new RunHostException($"topology.cluster.dir = {folder} cannot be written: {error.Message}", error);
            }

            _beat = new Timer(_ => Touch(), null, Beat, Beat);
        }

        public override string Name => _folder;

        public override Task<ImmutableArray<Address>> FindAsync(CancellationToken cancellation)
        {
            Touch();
            var now = File.GetLastWriteTimeUtc(_own);
            var alive = Directory.EnumerateFiles(_folder, "*.node").Where(file => now - File.GetLastWriteTimeUtc(file) < Alive).Order(StringComparer.Ordinal).ToList();
            var found = alive.Select(ReadAddress).OfType<Address>().ToImmutableArray();
            // Who may not begin a cluster never comes first.
            var mayBegin = alive.Count > 0 && Path.GetFileName(alive[0]).StartsWith('a');
            return Task.FromResult(mayBegin ? found : [.. found.Where(address => !address.Equals(_self))]);
        }

        public override void Dispose()
        {
            _beat.Dispose();
            try
            {
                File.Delete(_own);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A file that nobody touches any more is as good as none.
            }
        }

        private Address? ReadAddress(string file)
        {
            try
            {
                return AddressOf(File.ReadAllText(file), _self);
            }
            catch (Exception error) when (error is IOException or RunHostException)
            {
                // Its node is just writing or deleting it.
                return null;
            }
        }

        private void Touch()
        {
            try
            {
                // The file server's clock, not this machine's.
                File.WriteAllText(_own, Text(_self));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The others believe this node gone until the folder can be written again; nothing else depends on it.
            }
        }
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static ByteOrder Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
