using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class SafetensorsTests
{
    private static readonly string Folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    private static string NewPath => Path.Combine(Folder, $"{Guid.NewGuid():N}.safetensors");

    [Fact]
    public void Writer_must_produce_the_bytes_of_the_format()
    {
        using var scope = NewDisposeScope();
        var path = NewPath;
        var hash = SafetensorsWriter.Write(path,
            new Dictionary<string, Tensor> { ["b"] = tensor(new[] { 1.5f }), ["a"] = tensor(new short[] { 1, 2 }, 2, 1) },
            new Dictionary<string, string> { ["z"] = "2", ["format"] = "pt" });

        const string header = """{"__metadata__":{"format":"pt","z":"2"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I16","shape":[2,1],"data_offsets":[4,8]}}""";
        var padded = header.PadRight(((header.Length + 8 + 63) / 64 * 64) - 8);
        byte[] expected = [.. BitConverter.GetBytes((long)padded.Length), .. Encoding.ASCII.GetBytes(padded), 0, 0, 0xC0, 0x3F, 1, 0, 2, 0];
        var written = File.ReadAllBytes(path);
        Assert.Equal(expected, written);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(written)), hash);
    }

    [Fact]
    public void Reader_must_return_what_was_written_for_every_type_and_any_shape()
    {
        var gen = Gen.Select(Gen.Int[0, 9], Gen.Long[0, 5].Array[0, 3], Gen.ULong).Array[0, 6];
        gen.Sample(specs =>
        {
            using var scope = NewDisposeScope();
            ScalarType[] types = [ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool];
            var tensors = specs.Select((spec, i) => (Name: $"t{i}", Value: Random(spec.Item2, spec.Item3).to(types[spec.Item1]))).ToDictionary(pair => pair.Name, pair => pair.Value);
            var path = NewPath;
            var first = SafetensorsWriter.Write(path, tensors);
            Assert.Equal(first, SafetensorsWriter.Write(path, tensors.Reverse().ToDictionary()));
            using var file = SafetensorsFile.Open(path);
            Assert.Equal(tensors.Count, file.Tensors.Count);
            foreach (var (name, value) in tensors)
            {
                var read = file.Read(name);
                Assert.Equal(value.dtype, read.dtype);
                Assert.Equal(value.shape, read.shape);
                Assert.True(read.equal(value).all().item<bool>());
            }
        }, iter: 60);
    }

    [Fact]
    public void Tensors_must_outlive_their_file_and_never_change_it()
    {
        var path = NewPath;
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["x"] = tensor(new[] { 1f, 2f }) });
        var before = File.ReadAllBytes(path);
        Tensor first, second;
        using (var file = SafetensorsFile.Open(path)) (first, second) = (file.Read("x"), file.Read("x"));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        first.AddInPlace(10);
        // Both look into one mapping: loading copies nothing.
        Assert.Equal([11f, 12f], second.data<float>().ToArray());
        first.Dispose();
        Assert.Equal([11f, 12f], second.data<float>().ToArray());
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Reader_must_copy_what_is_not_aligned()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(WriteRaw("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""", [7, 0, 0, 0xC0, 0x3F]));
        Assert.Equal(1.5f, file.Read("b").item<float>());
        Assert.Equal(7, file.Read("a").item<byte>());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "foreign tail")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 3, "cut")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}""", 1, "F8_E4M3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "more bytes than exist")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, "something else than numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "unknown key 'x'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "two data_offsets")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "expected String")]
    [InlineData("""{} {}""", 0, "JSON")]
    [InlineData("""[1]""", 0, "begin with '{'")]
    public void Reader_must_refuse_a_header_that_breaks_a_rule(string header, int dataBytes, string expected)
    {
        var path = WriteRaw(header, new byte[dataBytes]);
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "too few")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 1 }, "does not fit")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4, 0, 0, 0, 0 }, "pickle")]
    [InlineData(new byte[] { 0x80, 2, 3, 4, 0, 0, 0, 0 }, "weights_only=True")]
    public void Reader_must_refuse_what_is_no_safetensors_file(byte[] bytes, string expected)
    {
        var path = NewPath;
        File.WriteAllBytes(path, bytes);
        Assert.Contains(expected, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reader_must_answer_any_damage_with_its_own_exception_or_with_sound_entries()
    {
        using var scope = NewDisposeScope();
        var path = NewPath;
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["weight"] = ones(3, 4), ["mask"] = ones(5, ScalarType.Byte) }, new Dictionary<string, string> { ["format"] = "pt" });
        var sound = File.ReadAllBytes(path);
        var refused = 0;
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte, Gen.Int[0, sound.Length], Gen.Bool).Array[1, 4].Sample(damages =>
        {
            var bytes = (byte[])sound.Clone();
            foreach (var (at, value, cut, cuts) in damages)
            {
                if (cuts) bytes = bytes[..Math.Min(cut, bytes.Length)];
                else if (at < bytes.Length) bytes[at] = value;
            }

            var damaged = NewPath;
            File.WriteAllBytes(damaged, bytes);
            try
            {
                using var inner = NewDisposeScope();
                using var file = SafetensorsFile.Open(damaged);
                foreach (var entry in file.Tensors) Assert.Equal(entry.Length, file.Read(entry.Name).bytes.Length);
            }
            catch (SafetensorsException)
            {
                Interlocked.Increment(ref refused);
            }

            File.Delete(damaged);
        }, iter: 1500, threads: 1);
        Assert.InRange(refused, 300, 1499);
    }

    [Fact]
    public void Parser_must_answer_any_JSON_with_its_own_exception()
    {
        var json = Gen.String.Select(text => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Dictionary<string, object> { [text] = new object[] { text, 1 } })));
        json.Sample(bytes =>
        {
            try
            {
                SafetensorsHeader.Parse(bytes, 0);
            }
            catch (SafetensorsException)
            {
            }
        }, iter: 500);
        byte[] invalidUtf8 = [(byte)'{', (byte)'"', 0xFF, 0xFE, (byte)'"', (byte)':', (byte)'{', (byte)'}', (byte)'}'];
        Assert.Throws<SafetensorsException>(() => SafetensorsHeader.Parse(invalidUtf8, 0));
    }

    [Fact]
    public void Durable_write_must_leave_the_old_content_when_writing_fails()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "durable")).FullName;
        var path = Path.Combine(folder, "file");
        DurableFile.Write(path, stream => stream.Write("old"u8), 3);
        Assert.Throws<InvalidOperationException>(() => DurableFile.Write(path, stream =>
        {
            stream.Write("ne"u8);
            throw new InvalidOperationException();
        }, 3));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(folder));
        DurableFile.Write(path, stream => stream.Write("new"u8));
        Assert.Equal("new", File.ReadAllText(path));
    }

    private static Tensor Random(long[] shape, ulong seed)
    {
        var random = new CounterRandom(seed);
        var count = shape.Aggregate(1L, (product, size) => product * size);
        return tensor(Enumerable.Range(0, (int)count).Select(i => (float)(random.Normal(RandomStream.Noise, i) * 3)).ToArray(), shape);
    }

    private static string WriteRaw(string header, byte[] data)
    {
        var path = NewPath;
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(header));
        File.WriteAllBytes(path, [.. length, .. Encoding.UTF8.GetBytes(header), .. data]);
        return path;
    }
}
