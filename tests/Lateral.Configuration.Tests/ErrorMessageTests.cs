namespace Lateral.Configuration.Tests;

/// <summary>Every mistake is told as: where, what, why, how to fix.</summary>
public sealed class ErrorMessageTests
{
    [Theory]
    [InlineData("sampler {\n  gpus = 1\n", "t.conf:1:9  '{' opened here is never closed - the file ends first - add '}'")]
    [InlineData("a = 1\n}\n", "t.conf:2:1  '}' closes nothing - every '{' before it is already closed - remove it")]
    [InlineData("a = 1 ]", "t.conf:1:7  ']' closes nothing - no '[' is open here - remove it")]
    [InlineData("a { b = [1, 2 }", "t.conf:1:9  '[' opened here is never closed - '}' at t.conf:1:15 comes first - add ']'")]
    [InlineData("a = [{ b = 1 ]", "t.conf:1:6  '{' opened here is never closed - ']' at t.conf:1:14 comes first - add '}'")]
    [InlineData("a = [1,\nb = 2", "t.conf:1:5  '[' opened here is never closed - '=' at t.conf:2:3 starts a new key - add ']'")]
    [InlineData("a = [b = 2]", "t.conf:1:8  '=' in a list - a list holds values, not keys - write [{ key = value }], or close the list with ']'")]
    [InlineData("lr\n", "t.conf:1:1  key 'lr' has no value - a key needs '=', ':' or '{' after it - write lr = value")]
    [InlineData("lr =\nseed = 7", "t.conf:1:1  key 'lr' has no value - the line ends after the separator - write lr = value, lr { ... } for a section, or \"\" for an empty text")]
    [InlineData("seeds [1]", "t.conf:1:1  '=' is missing between 'seeds' and its list - write seeds = [...]")]
    [InlineData("= 3", "t.conf:1:1  '=' has no key before it - write name = value")]
    [InlineData("{ { a = 1 } }", "t.conf:1:3  '{' has no key before it - a section needs a name - write name { ... }")]
    [InlineData("${a} = 1", "t.conf:1:1  a substitution cannot be a key - keys are fixed text - write name = ${...}")]
    [InlineData("a..b = 1", "t.conf:1:1  'a..b' has an empty part - a path is names joined by single dots - remove the extra dot, or quote the name")]
    [InlineData("url = http://judge:8000", "t.conf:1:11  ':' must be quoted here - unquoted text ends at ':' - put the whole value in \"double quotes\"")]
    [InlineData("a = 1 b = 2", "t.conf:1:7  a second key 'b' starts on this line - a comma or a new line separates two keys - put a comma before 'b', or the whole value in \"double quotes\"")]
    [InlineData("a = 1 \"b c\".d += 2", "t.conf:1:7  a second key 'b c.d' starts on this line - a comma or a new line separates two keys - put a comma before 'b c.d', or the whole value in \"double quotes\"")]
    [InlineData("a = b=2", "t.conf:1:6  '=' must be quoted here - HOCON reserves this character - put the whole value in \"double quotes\"")]
    [InlineData("a == 1", "t.conf:1:4  '=' after '=' - one separator is enough - remove one of them")]
    [InlineData("a : = 1", "t.conf:1:5  '=' after ':' - one separator is enough - remove one of them")]
    [InlineData("[rollout]\na = 1", "t.conf:1:1  '[rollout]' starts no section - sections have braces - write rollout { ... }")]
    [InlineData("a = 1\n[b]\nc = 1", "t.conf:2:1  '[b]' starts no section - sections have braces - write b { ... }")]
    [InlineData("a { x = 1 } b { y = 2 }", "t.conf:1:13  a second key starts here - the value before it ends on the same line - put a comma or a new line before 'b'")]
    [InlineData("mail = me@home", "t.conf:1:10  '@' must be quoted here - HOCON reserves this character - put the whole text in \"double quotes\"")]
    [InlineData("a = \"open\nb = 1", "t.conf:1:5  \" opened here is not closed on this line - a quoted string ends where its line ends - add the closing \", or use \"\"\" for several lines")]
    [InlineData("a = \"\"\"open\nb = 1", "t.conf:1:5  \"\"\" opened here is never closed - the text runs to the end of the file - close it with \"\"\"")]
    [InlineData("a = \"C:\\data\"", "t.conf:1:8  '\\d' is not an escape - JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000 - write \\\\ for a backslash")]
    [InlineData("a = ${b\nb = 1", "t.conf:1:5  '${' opened here is never closed - a substitution ends on its own line - write ${name} or ${?name}")]
    [InlineData("a = ${}", "t.conf:1:5  ${} names nothing - a substitution needs a path - write ${a.b}")]
    [InlineData("a = ${[1]}", "t.conf:1:5  only a path may stand between ${ and } - for example ${algorithms.grpo} or ${?HOME}")]
    [InlineData("a = ${nope}", "t.conf:1:5  ${nope} is not defined in the config or the environment - define it, or write ${?nope} if it is optional")]
    [InlineData("algorithms.grpo { lr = 1 }\na = ${algoritms.grpo}", "t.conf:2:5  ${algoritms.grpo} is not defined in the config or the environment - did you mean ${algorithms.grpo}? - define it, or write ${?algoritms.grpo} if it is optional")]
    [InlineData("a = ${b}\nb = ${a}", "t.conf:1:5  ${b} refers back to itself - no earlier value breaks the loop - set one before this line, or refer to something else")]
    [InlineData("x = 5\na = ${x} { b = 1 }", "t.conf:2:5  ${x} is the number 5 (t.conf:1:5) but is joined with an object - only objects merge with objects - put a comma or a new line between them, or check the name")]
    [InlineData("a = [1] two", "t.conf:1:5  a list (t.conf:1:5) cannot be joined with the text \"two\" (t.conf:1:9) - only strings with strings, lists with lists and objects with objects - put a comma or a new line between them")]
    [InlineData("a = 5\na += 6", "t.conf:2:6  += adds to a list, but the value so far is the number 5 (t.conf:1:5) - make it a list [...], or use = to replace it")]
    public void Syntax_mistake_must_read(string text, string error) => Assert.Equal(error, Texts.Errors(text));

    [Fact]
    public void Mistakes_of_one_file_must_come_out_in_one_pass() =>
        Assert.Equal(
            """
            t.conf:1:1  key 'a' has no value - the line ends after the separator - write a = value, a { ... } for a section, or "" for an empty text
            t.conf:2:10  '@' must be quoted here - HOCON reserves this character - put the whole text in "double quotes"
            t.conf:3:9  ':' must be quoted here - unquoted text ends at ':' - put the whole value in "double quotes"
            t.conf:4:5  ${nope} is not defined in the config or the environment - define it, or write ${?nope} if it is optional
            t.conf:6:10  extra comma - one comma or a new line separates two items - remove it
            """, Texts.Errors("a =\nmail = me@home\nb = http://c\nc = ${nope}\nok = ${a}\nd = [1,2,,3]\n"));

    [Fact]
    public void Error_list_must_be_bounded() =>
        Assert.Equal(200, Assert.Throws<ConfigException>(() => Texts.Parse(string.Concat(Enumerable.Repeat("= 1\n", 5000)))).Errors.Count);
}
