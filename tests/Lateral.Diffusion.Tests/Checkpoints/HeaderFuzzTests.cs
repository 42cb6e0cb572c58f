using System.Text;
using Lateral.Diffusion.Checkpoints;

namespace Lateral.Tests.Diffusion;

/// <summary>Headers that are nearly sound: every rule is broken by itself and together with others, and what is accepted keeps all of them.</summary>
public sealed class HeaderFuzzTests
{
    private static readonly string[] Types = ["F32", "F32", "F32", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "f32", "", "\\u0046\\u0033\\u0032", "F64"];
    private static readonly string[] Numbers = ["0", "1", "2", "3", "-1", "1.0", "1e2", "0x1", "9223372036854775807", "9223372036854775808", "4611686018427387904", "4294967296", "null", "\"1\"", "[1]", "1e999", "00"];
    private static readonly string[] Names = ["a", "b", "c", "", "__metadata__", "\\u0061", "\\ud800", "../x", "a b", "é"];

    [Fact]
    public void Nearly_sound_header_must_be_refused_or_keep_every_rule()
    {
        var (random, accepted) = (new Random(5), 0);
        const int rounds = 30_000;
        for (var round = 0; round < rounds; round++)
        {
            var (text, data) = Header(random);
            var bytes = Encoding.UTF8.GetBytes(text);
            if (JsonDamage.Refused<SafetensorsException>(bytes.Length, () => RequireSound(SafetensorsHeader.Parse(bytes, data), data), text)) continue;
            accepted++;
        }

        Assert.InRange(accepted, rounds / 10, rounds * 2 / 3);
    }

    [Fact]
    public void Damaged_bytes_of_a_header_must_be_refused_or_keep_every_rule()
    {
        var random = new Random(6);
        for (var round = 0; round < 10_000; round++)
        {
            var (text, data) = Header(random);
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var change = random.Next(1, 5); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length)];
            JsonDamage.Refused<SafetensorsException>(bytes.Length, () => RequireSound(SafetensorsHeader.Parse(bytes, data), data), text);
        }
    }

    [Theory]
    [InlineData("{", "\"a\":{")]
    [InlineData("{", "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},")]
    [InlineData("{\"a\":{\"shape\":[", "1,")]
    [InlineData("{\"__metadata__\":{", "\"a\":\"b\",")]
    [InlineData("{", "{")]
    public void Repetition_without_end_must_be_refused_at_once(string begin, string piece)
    {
        var bytes = Encoding.UTF8.GetBytes(begin + string.Concat(Enumerable.Repeat(piece, 50_000)));
        Assert.True(JsonDamage.Refused<SafetensorsException>(bytes.Length, () => SafetensorsHeader.Parse(bytes, 0), begin));
    }

    /// <summary>A sound one, of which every part is now and then another one.</summary>
    private static (string Text, long Data) Header(Random random)
    {
        string Or(string sound, string[] others) => random.Next(14) == 0 ? others[random.Next(others.Length)] : sound;
        var (at, parts) = (0L, new List<string>());
        foreach (var name in Enumerable.Range(0, random.Next(0, 4)).Select(i => ((char)('a' + i)).ToString()))
        {
            int[] shape = [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => random.Next(0, 4))];
            var end = at + (4 * shape.Aggregate(1L, (product, size) => product * size));
            string[] keys =
            [
                $"\"dtype\":\"{Or("F32", Types)}\"", $"\"shape\":[{string.Join(',', shape.Select(size => Or(size.ToString(System.Globalization.CultureInfo.InvariantCulture), Numbers)))}]",
                $"\"data_offsets\":[{Or(at.ToString(System.Globalization.CultureInfo.InvariantCulture), Numbers)},{Or(end.ToString(System.Globalization.CultureInfo.InvariantCulture), Numbers)}]",
            ];
            random.Shuffle(keys);
            parts.Add($"\"{Or(name, Names)}\":{{{string.Join(',', random.Next(30) == 0 ? keys[..2] : random.Next(30) == 0 ? [.. keys, keys[0]] : keys)}}}");
            at = end;
        }

        if (random.Next(3) == 0) parts.Add($"\"__metadata__\":{Or("{\"format\":\"pt\"}", ["{\"a\":1}", "null", "{\"a\":{}}", "[]", "{\"a\":\"1\",\"a\":\"2\"}"])}");
        if (random.Next(20) == 0) parts.Reverse();
        return ($"{{{string.Join(',', parts)}}}{Or("", [" ", "{}", "x", "\0"])}", random.Next(10) == 0 ? at + random.Next(-4, 5) : at);
    }

    private static void RequireSound(SafetensorsHeader header, long data)
    {
        var at = 0L;
        foreach (var entry in header.Tensors)
        {
            Assert.Equal(at, entry.Offset);
            Assert.Equal(entry.Shape.Aggregate((long)ElementTypes.SizeOf(entry.Type), (product, size) => checked(product * size)), entry.Length);
            at += entry.Length;
        }

        Assert.Equal(data, at);
        Assert.Equal(header.Tensors.Count, header.Tensors.Select(entry => entry.Name).Distinct().Count());
    }
}
