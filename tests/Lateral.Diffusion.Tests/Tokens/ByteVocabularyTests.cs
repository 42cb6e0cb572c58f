using System.Text;
using Lateral.Diffusion.Tokens;

namespace Lateral.Tests.Diffusion;

public sealed class ByteVocabularyTests
{
    [Theory]
    [InlineData("31415")]
    [InlineData(" Two  spaces,\n\ta tab, Ünïcödé and 数学 \U0001F600")]
    [InlineData("")]
    public void Text_must_be_its_bytes_and_come_back(string text)
    {
        var tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(ByteVocabulary.Json()), ByteVocabulary.Mask, ByteVocabulary.End);
        var ids = tokenizer.Encode(text);
        Assert.Equal(Encoding.UTF8.GetBytes(text).Select(value => (int)value), ids);
        Assert.Equal(text, tokenizer.Decode(ids.AsSpan()));
        Assert.Equal((ByteVocabulary.Size, ByteVocabulary.Mask, ByteVocabulary.End), (tokenizer.VocabularySize, tokenizer.IdOf("<|mask|>")!.Value, tokenizer.IdOf("<|endoftext|>")!.Value));
    }
}
