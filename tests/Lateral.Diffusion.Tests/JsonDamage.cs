using System.Text.Json.Nodes;

namespace Lateral.Tests.Diffusion;

/// <summary>Damages JSON as a careless or hostile author would, the same for the same seed; and watches what reading it costs.</summary>
internal static class JsonDamage
{
    /// <summary>Stands for half of a surrogate pair, which no writer of JSON writes.</summary>
    private const string Half = "HALF-A-PAIR";

    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1", "3", "65537", "16777215", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "1e999", "-1e999", "1e-999", "0.5", "1.0", "\"\"", "\"x\"", $"\"{Half}\"",
        "[]", "{}", "[1,[2,[3]]]", "{\"a\":{\"a\":{}}}", new string('[', 100) + new string(']', 100), $"\"{new string('a', 5000)}\"", $"[{string.Join(',', Enumerable.Range(0, 2000))}]",
    ];

    /// <summary>A few of its values replaced, removed, copied elsewhere or joined by a stranger; some texts are cut or have a wrong character or a key twice on top of that.</summary>
    public static string Of(string json, Random random)
    {
        var root = JsonNode.Parse(json)!;
        for (var change = random.Next(1, 4); change > 0; change--) Change(root, random);
        var text = root.ToJsonString().Replace(Half, "\\ud800", StringComparison.Ordinal);
        return random.Next(8) switch
        {
            0 => text[..random.Next(text.Length)],
            1 => text.Remove(random.Next(text.Length), 1).Insert(random.Next(text.Length - 1), ((char)random.Next(32, 0x180)).ToString()),
            2 when root is JsonObject { Count: > 0 } members => $"{{\"{members.First().Key}\":{Values[random.Next(Values.Length)]},{text[1..]}",
            _ => text,
        };
    }

    /// <summary>Runs what reads a text and says whether it was refused; any other exception is the test's, and so is memory out of proportion.</summary>
    /// <param name="bytes">the text's size</param>
    public static bool Refused<TRefusal>(long bytes, Action read, string text)
        where TRefusal : Exception
    {
        var (before, refused) = (GC.GetAllocatedBytesForCurrentThread(), false);
        try
        {
            read();
        }
        catch (TRefusal refusal)
        {
            refused = true;
            Assert.InRange(refusal.Message.Length, 1, 2000);
        }
        catch (Exception other)
        {
            Assert.Fail($"{other.GetType().Name} {other.Message} of {Shortened(text)}");
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < (2 << 20) + (64 * bytes), $"{allocated} bytes were allocated for {bytes} of {Shortened(text)}");
        return refused;
    }

    private static void Change(JsonNode root, Random random)
    {
        var node = root;
        // Towards a leaf, and seldom all the way.
        while (Child(node, random) is { } child && (ReferenceEquals(node, root) || random.Next(3) > 0)) node = child;
        if (ReferenceEquals(node, root)) return;
        var value = random.Next(4) == 0 ? Any(root, random).DeepClone() : JsonNode.Parse(Values[random.Next(Values.Length)], documentOptions: new() { MaxDepth = 200 });
        switch (node.Parent)
        {
            case JsonObject members when random.Next(4) == 0: members.Remove(node.GetPropertyName()); break;
            case JsonObject members when random.Next(6) == 0: members[$"strange_{random.Next(9)}"] = value; break;
            case JsonObject members: members[node.GetPropertyName()] = value; break;
            case JsonArray items when random.Next(3) == 0: items.RemoveAt(node.GetElementIndex()); break;
            case JsonArray items: items[node.GetElementIndex()] = value; break;
        }
    }

    private static JsonNode Any(JsonNode root, Random random)
    {
        var node = root;
        while (Child(node, random) is { } child && (ReferenceEquals(node, root) || random.Next(3) > 0)) node = child;
        return node;
    }

    private static JsonNode? Child(JsonNode node, Random random) => node switch
    {
        JsonObject { Count: > 0 } members => members.ElementAt(random.Next(members.Count)).Value,
        JsonArray { Count: > 0 } items => items[random.Next(items.Count)],
        _ => null,
    };

    private static string Shortened(string text) => text.Length <= 300 ? text : $"{text[..300]}...";
}
