using System.Collections.Immutable;
using System.Text;
using Lateral.Core.Prompts;

namespace Lateral.Diffusion.Tokens;

/// <summary>Any text as the bytes of its UTF-8: id = byte, then the end token 256 and MASK 257. For models that bring no tokenizer of their own.</summary>
public sealed class ByteTokenizer : ITokenizer
{
    private const int Bytes = 256;

    // A lone half of a surrogate pair has no UTF-8; replacing it would train on another text.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int VocabularySize => Bytes + 2;

    public int MaskId => Bytes + 1;

    public int? EndId => Bytes;

    /// <inheritdoc/>
    public ImmutableArray<int> Encode(string text)
    {
        try
        {
            return [.. Strict.GetBytes(text).Select(value => (int)value)];
        }
        catch (EncoderFallbackException mistake)
        {
            throw new FormatException($"half of a surrogate pair at position {mistake.Index}: it is no character", mistake);
        }
    }

    /// <summary>Special tokens are left out; bytes that are no UTF-8, as a model may write them, become U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">an id outside the vocabulary</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new byte[ids.Length];
        var count = 0;
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)VocabularySize) throw new ArgumentOutOfRangeException(nameof(ids), id, $"token ids are 0 to {MaskId}");
            if (id < Bytes) bytes[count++] = (byte)id;
        }

        return Encoding.UTF8.GetString(bytes, 0, count);
    }
}
