using CsCheck;
using Lateral.Diffusion.Tokens;

namespace Lateral.Diffusion.Tests;

public class CharTokenizerTests
{
    private static readonly CharTokenizer Digits = new("0123456789");
    private static readonly CharTokenizer Expressions = new("0123456789,=+-*/()\n");

    [Fact]
    public void Vocabulary_must_be_the_alphabet_then_the_end_then_the_mask()
    {
        Assert.Equal((11, 10, null), (Digits.VocabularySize, Digits.MaskId, Digits.EndId));
        Assert.Equal((20, 19, 18), (Expressions.VocabularySize, Expressions.MaskId, Expressions.EndId));
        Assert.Equal((4, 3, 2), (new CharTokenizer("a\nb").VocabularySize, new CharTokenizer("a\nb").MaskId, new CharTokenizer("a\nb").EndId));
    }

    [Fact]
    public void Encode_must_give_ids_in_alphabet_order()
    {
        Assert.Equal([3, 1, 4, 1, 5], Digits.Encode("31415").ToArray());
        Assert.Equal([3, 14, 7, 18, 18], Expressions.Encode("3*7\n\n").ToArray());
        Assert.Equal([1], new CharTokenizer("a\nb").Encode("b").ToArray());
        Assert.Empty(Digits.Encode(""));
    }

    [Fact]
    public void Decode_must_leave_out_mask_and_end()
    {
        Assert.Equal("31415", Digits.Decode([3, 10, 1, 4, 1, 10, 5]));
        Assert.Equal("3*7", Expressions.Decode([3, 14, 19, 7, 18, 18]));
        Assert.Equal("", Digits.Decode([]));
    }

    [Theory]
    [InlineData("31a15", "no token for 'a' at position 2 of \"31a15\"; the alphabet is \"0123456789\"")]
    [InlineData("1 2", "no token for U+0020 at position 1 of \"1 2\"; the alphabet is \"0123456789\"")]
    [InlineData("12\n", "no token for U+000A at position 2 of \"12\n\"; the alphabet is \"0123456789\"")]
    [InlineData("٣", "no token for '٣' at position 0 of \"٣\"; the alphabet is \"0123456789\"")]
    public void Encode_must_name_the_character_and_its_position(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => Digits.Encode(text)).Message);

    [Theory]
    [InlineData(-1)]
    [InlineData(11)]
    public void Decode_must_refuse_an_id_outside_the_vocabulary(int id) =>
        Assert.Contains("token ids are 0 to 10", Assert.Throws<ArgumentOutOfRangeException>(() => Digits.Decode([id])).Message);

    [Theory]
    [InlineData("", "the alphabet has no characters")]
    [InlineData("\n", "the alphabet has no characters")]
    [InlineData("0120", "the alphabet has '0' more than once")]
    [InlineData("01\n\n", "the alphabet has U+000A more than once")]
    public void Alphabet_must_have_distinct_characters(string alphabet, string message) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => new CharTokenizer(alphabet)).Message);

    [Fact]
    public void Decode_must_undo_Encode_up_to_the_end_tokens() =>
        Gen.String["0123456789,=+-*/()\n"].Sample(text =>
            Assert.Equal(text.Replace("\n", ""), Expressions.Decode(Expressions.Encode(text).AsSpan())));
}
