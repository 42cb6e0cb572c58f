using System.Text;

namespace Lateral.Diffusion.Tokens;

/// <summary>
/// The characters that stand for bytes in byte-level vocabularies (GPT-2's table): printable Latin-1 stands for itself, and every other byte for the next character from U+0100 on. Example: a space is
/// <c>Ġ</c>, a line feed <c>Ċ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Build();
    private static readonly Dictionary<char, byte> Bytes = Characters.Index().ToDictionary(place => place.Item, place => (byte)place.Index);

    public static char Of(byte value) => Characters[value];

    public static string Of(string text) => string.Create(Encoding.UTF8.GetByteCount(text), text, (characters, source) =>
    {
        var bytes = Encoding.UTF8.GetBytes(source);
        for (var i = 0; i < bytes.Length; i++) characters[i] = Characters[bytes[i]];
    });

    /// <summary>Adds the bytes of a token to <paramref name="bytes"/>; what is no byte-level character is itself.</summary>
    public static void AddBytes(string token, List<byte> bytes)
    {
        if (token.All(Bytes.ContainsKey)) bytes.AddRange(token.Select(character => Bytes[character]));
        else bytes.AddRange(Encoding.UTF8.GetBytes(token));
    }

    private static char[] Build()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++) characters[value] = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255) ? (char)value : (char)next++;
        return characters;
    }
}
