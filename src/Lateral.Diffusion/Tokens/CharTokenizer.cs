using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Lateral.Core.Prompts;

namespace Lateral.Diffusion.Tokens;

/// <summary>
/// One token per character of a task's alphabet: ids in alphabet order, then the end token where the alphabet contains a
/// line feed, MASK last. Example: <c>"0123456789"</c> has 11 ids, 7 is '7' and 10 is MASK.
/// </summary>
public sealed class CharTokenizer : ITokenizer
{
    /// <summary>The character that stands for the end token in alphabets and texts.</summary>
    public const char End = '\n';

    private readonly string _characters;
    private readonly FrozenDictionary<char, int> _ids;

    /// <exception cref="ArgumentException">the alphabet is empty or repeats a character</exception>
    public CharTokenizer(string alphabet)
    {
        _characters = string.Concat(alphabet.Where(character => character != End));
        if (_characters.Length == 0) throw new ArgumentException("the alphabet has no characters", nameof(alphabet));
        if (alphabet.GroupBy(character => character).FirstOrDefault(group => group.Count() > 1) is { Key: var repeated })
            throw new ArgumentException($"the alphabet has {Name(repeated)} more than once", nameof(alphabet));

        if (alphabet.Contains(End)) EndId = _characters.Length;
        MaskId = alphabet.Length;
        _ids = _characters.Select((character, id) => KeyValuePair.Create(character, id))
            .Concat(EndId is { } end ? [KeyValuePair.Create(End, end)] : [])
            .ToFrozenDictionary();
    }

    public int VocabularySize => MaskId + 1;

    public int MaskId { get; }

    public int? EndId { get; }

    /// <inheritdoc/>
    public ImmutableArray<int> Encode(string text)
    {
        var ids = ImmutableArray.CreateBuilder<int>(text.Length);
        for (var position = 0; position < text.Length; position++)
        {
            if (!_ids.TryGetValue(text[position], out var id))
                throw new FormatException($"no token for {Name(text[position])} at position {position} of \"{Excerpt(text)}\"; the alphabet is \"{_characters}\"");
            ids.Add(id);
        }

        return ids.MoveToImmutable();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">an id outside the vocabulary</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder(ids.Length);
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)VocabularySize) throw new ArgumentOutOfRangeException(nameof(ids), id, $"token ids are 0 to {MaskId}");
            if (id < _characters.Length) text.Append(_characters[id]);
        }

        return text.ToString();
    }

    private static string Name(char character) =>
        char.IsControl(character) || char.IsSurrogate(character) || char.IsWhiteSpace(character) ? $"U+{(int)character:X4}" : $"'{character}'";

    private static string Excerpt(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
