namespace Lateral.Configuration.Tests;

/// <summary>Inputs on which the parser inside Akka 1.5.74 hangs, overflows the stack or loses data without a word.</summary>
public sealed class BuiltInParserFailureTests
{
    [Theory]
    [InlineData("a = [1]\na = ${a} [3]", """{"a":[1,3]}""")] // stack overflow
    [InlineData("path = /bin\npath = ${path}\":b\"", """{"path":"/bin:b"}""")] // stack overflow
    [InlineData("b { p = 1 }\na = ${b} { q = 3 }", """{"a":{"p":1,"q":3},"b":{"p":1}}""")] // p lost
    [InlineData("port = 4053\nport = ${?UNSET}", """{"port":4053}""")] // value erased
    [InlineData("a = [1]\na += 3", """{"a":[1,3]}""")] // ignored
    [InlineData("x.y { a = 1 }, z = 2", """{"x":{"y":{"a":1}},"z":2}""")] // FormatException
    [InlineData("a = \"${x} # : {\"", """{"a":"${x} # : {"}""")]
    public void Text_must_keep_all_its_data(string text, string json) => Assert.Equal(json, Texts.Json(text));

    [Theory]
    [InlineData("a = [1,2", "t.conf:1:5  '[' opened here is never closed")] // hangs
    [InlineData("a = [1,2\nb = }", "t.conf:1:5  '[' opened here is never closed")] // hangs
    [InlineData("a = ${ENV}", "t.conf:1:5  ${ENV} is not defined in the config or the environment")]
    [InlineData("a { b = 1 } }\nc = 2", "t.conf:1:13  '}' closes nothing")] // rest dropped
    [InlineData("a {\n  b = 1\n", "t.conf:1:3  '{' opened here is never closed")] // accepted
    [InlineData("a =\nb = 2", "t.conf:1:1  key 'a' has no value")] // a = "b"
    [InlineData("a = \"x\nb = 2\nc = \"y\"", "t.conf:1:5  \" opened here is not closed on this line")] // swallows lines
    [InlineData("garbage\na = 1", "t.conf:1:1  key 'garbage' has no value")] // ignored
    [InlineData("path = /data/ck:1", "t.conf:1:16  ':' must be quoted here")] // no line number
    [InlineData("a = ${a}", "t.conf:1:5  ${a} refers back to itself")]
    public void Mistake_must_be_an_error_with_its_position(string text, string start) =>
        Assert.StartsWith(start, Texts.Errors(text), StringComparison.Ordinal);

    [Fact]
    public void Missing_key_must_not_read_as_zero()
    {
        Assert.Equal("t.conf:1:3  s.n is missing - it must be a whole number - write n = 1", Texts.ReadErrors("s {}", root => root.Section("s").Int("n")));
        Assert.Equal("t.conf:1:9  s.n must be a whole number, got \"10x\" - write n = 1", Texts.ReadErrors("s { n = 10x }", root => root.Section("s").Int("n")));
        Assert.StartsWith("t.conf:1:9  s.d must be a duration with its unit", Texts.ReadErrors("s { d = 10 fortnights }", root => root.Section("s").Duration("d")), StringComparison.Ordinal);
    }
}
