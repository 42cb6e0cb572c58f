using CsCheck;

namespace Lateral.Configuration.Tests;

public sealed class HoconWriterTests
{
    [Fact]
    public void Tree_must_be_written_for_people() =>
        Assert.Equal(
            """
            run {
              name = sort-5
              wait = 2 minutes
              seed = 1e3
              "a.b" = "5"
              device = "cuda:0"
              none = null
            }
            devices {
              "cuda:0" {}
            }
            seeds = [1, x, {"y":2}]
            akka {}

            """.ReplaceLineEndings("\n"),
            HoconWriter.Write(Texts.Parse("run { name = sort-5, wait = 2 minutes, seed = 1e3, \"a.b\" = \"5\", device = \"cuda:0\", none = null }\ndevices { \"cuda:0\" {} }\nseeds = [1, x, { y = 2 }]\nakka {}")));

    [Fact]
    public void Origins_must_be_comments() =>
        Assert.Equal("a {\n  b = 1  # t.conf:1:9\n}\nc = [x]  # t.conf:2:5\n", HoconWriter.Write(Texts.Parse("a { b = 1 }\nc = [x]"), origins: true));

    /// <summary>Whatever a text holds: quotes, line breaks, what looks like a number, a comment, a substitution or an include.</summary>
    [Fact]
    public void Any_text_must_read_back_the_same() =>
        Gen.Select(Gen.OneOf(Gen.String, OneOf("include", "true", "on", "5", "05", "1e5", "-", "a  b", "a b ", "# x", "${x}", "a//b", "null", "5 s", "\"", "a\nb", "x_y-z", "a\\b")), Gen.Bool)
            .Sample((text, origins) =>
            {
                var tree = Texts.Parse($"k {{ v = {System.Text.Json.JsonSerializer.Serialize(text)} }}");
                Assert.True(Texts.Parse(HoconWriter.Write(tree, origins)).SameValueAs(tree), text);
            }, iter: 5_000);

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);
}
