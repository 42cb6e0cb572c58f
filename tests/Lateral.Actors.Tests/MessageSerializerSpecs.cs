using System.Runtime.Serialization;
using Akka.Actor;
using CsCheck;
using Lateral.Actors.Serialization;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>Nodes of two builds understand each other as long as every message keeps its bytes; and no bytes do more than be refused.</summary>
public sealed class MessageSerializerSpecs : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("serializer", "akka.loglevel = OFF");
    private readonly MessageSerializer _serializer;

    public MessageSerializerSpecs() => _serializer = new MessageSerializer((ExtendedActorSystem)_system);

    public static TheoryData<string> Samples { get; } = [.. MessageSamples.All.Keys];

    public void Dispose() => _system.Dispose();

    [Theory]
    [MemberData(nameof(Samples))]
    public void Message_must_keep_its_manifest_and_its_golden_bytes_and_come_back_whole(string name)
    {
        var sample = MessageSamples.All[name];
        Assert.Equal($"1.{MessageSamples.FormOf(name)}", _serializer.Manifest(sample));
        Assert.Equal(Convert.ToHexStringLower(Golden(name)), Convert.ToHexStringLower(_serializer.ToBinary(sample)));
        var read = _serializer.FromBinary(Golden(name), _serializer.Manifest(sample));
        Assert.IsType(sample.GetType(), read);
        Assert.Equivalent(sample, read, strict: true);
    }

    [Fact]
    public void Every_message_type_must_have_a_form_and_a_sample()
    {
        var types = typeof(RunHost).Assembly.GetTypes().Where(type => type is { IsAbstract: false } && type.IsAssignableTo(typeof(IRemoteMessage))).ToHashSet();
        Assert.True(types.Count > 30);
        types.UnionWith([typeof(PartStatus), typeof(LedgerStatus), typeof(RunStatus)]);
        Assert.Equal(types.Select(type => type.Name).Order(), MessageSerializer.Forms.Select(form => form.Type.Name).Order());
        Assert.Equal(types.Select(type => type.Name).Order(), MessageSamples.All.Values.Select(sample => sample.GetType().Name).Distinct().Order());
    }

    [Fact]
    public void Every_record_of_a_protocol_must_be_a_remote_message()
    {
        var records = typeof(RunHost).Assembly.GetTypes().Where(type => type is { IsNestedPublic: true, IsAbstract: false } && type.DeclaringType!.Name.EndsWith("Protocol", StringComparison.Ordinal)).ToArray();
        Assert.True(records.Length > 30);
        Assert.All(records, type => Assert.True(type.IsAssignableTo(typeof(IRemoteMessage)), $"{type} is sent and has no form"));
    }

    [Fact]
    public void Every_golden_file_must_belong_to_a_sample() =>
        Assert.Equal(MessageSamples.All.Keys, Directory.EnumerateFiles(GoldenFolder).Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("2.drain", "speaks protocol 2, this node speaks 1: run the same version of Lateral on every node")]
    [InlineData("1.steal-weights", "is no message of protocol 1")]
    [InlineData("System.IO.FileInfo, System.Private.CoreLib", "is no message of protocol 1")]
    [InlineData("", "is no message of protocol 1")]
    public void Manifest_of_another_protocol_or_of_nothing_must_be_refused(string manifest, string why) =>
        Assert.Contains(why, Assert.Throws<SerializationException>(() => _serializer.FromBinary([], manifest)).Message, StringComparison.Ordinal);

    [Fact]
    public void Object_without_a_form_must_be_refused() => Assert.Throws<SerializationException>(() => _serializer.Manifest("text"));

    [Fact]
    public void Message_that_is_too_large_must_be_refused_at_its_sender_with_the_setting_that_bounds_it()
    {
        var large = new RunStatus(((RunStatus)MessageSamples.All["run-status"]).Ledger, new RunFailure(new string('x', 512 * 1024), false), []);
        var refused = Assert.Throws<SerializationException>(() => _serializer.ToBinary(large));
        Assert.Matches("^a message 1.run-status of 524,[0-9]{3} bytes is not sent: 524,288 is the most, half of akka.remote.dot-netty.tcp.maximum-frame-size", refused.Message);
        Assert.Contains("is not read", Assert.Throws<SerializationException>(() => _serializer.FromBinary(new byte[524_289], "1.run-status")).Message, StringComparison.Ordinal);
        using var wide = ActorSystem.Create("wide", "akka.loglevel = OFF\nakka.remote.dot-netty.tcp.maximum-frame-size = 4MiB");
        Assert.Equal(524_288, ((RunStatus)Reread(new MessageSerializer((ExtendedActorSystem)wide), large)).Failed!.Reason.Length);
    }

    /// <summary>A quarter of a million byte strings: noise, and golden bytes with a few bytes changed, cut out or put in.</summary>
    [Fact]
    public void Bytes_that_are_no_message_must_be_refused_in_one_way_and_quickly()
    {
        string[] names = [.. MessageSamples.All.Keys];
        var some = Gen.Int[0, names.Length - 1].Select(index => names[index]);
        var mutation =
            from name in some
            from noise in Gen.Byte.Array[0, 24]
            from at in Gen.Int[0, 2000]
            from cut in Gen.Int[0, 8]
            select (name, bytes: Mutate(Golden(name), noise, at, cut));
        mutation.Sample(mutated => Survives(mutated.name, mutated.bytes), iter: 150_000, threads: 1);
        var random = from name in some from bytes in Gen.Byte.Array[0, 400] select (name, bytes);
        random.Sample(noise => Survives(noise.name, noise.bytes), iter: 100_000, threads: 1);
    }

    /// <summary>What is read in spite of a mutation is a message, which can be sent on.</summary>
    private void Survives(string name, byte[] bytes)
    {
        try
        {
            Reread(_serializer, _serializer.FromBinary(bytes, $"1.{MessageSamples.FormOf(name)}"));
        }
        catch (SerializationException refused)
        {
            Assert.StartsWith($"{bytes.Length:N0} bytes with the manifest '1.{MessageSamples.FormOf(name)}' are not such a message: ", refused.Message, StringComparison.Ordinal);
        }
    }

    private static object Reread(MessageSerializer serializer, object message) => serializer.FromBinary(serializer.ToBinary(message), serializer.Manifest(message));

    private static byte[] Mutate(byte[] golden, byte[] noise, int at, int cut)
    {
        at = golden.Length == 0 ? 0 : at % golden.Length;
        return [.. golden[..at], .. noise, .. golden[Math.Min(golden.Length, at + cut)..]];
    }

    private static string GoldenFolder => Path.Combine(AppContext.BaseDirectory, "Golden", "messages");

    private static byte[] Golden(string name) => Convert.FromHexString(File.ReadAllText(Path.Combine(GoldenFolder, $"{name}.hex")).Trim());
}
