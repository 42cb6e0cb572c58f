#pragma warning disable xUnit1026 // the rule is the row's name
using System.Text;

namespace Lateral.Configuration.Tests.Rules;

/// <summary>The specification's section "Includes", and what it leaves to implementations.</summary>
public sealed class IncludeRules
{
    [Theory]
    [InlineData("it stands where a field may stand", "b { include \"x\" }", """{"b":{"a":1}}""")]
    [InlineData("commas and newlines separate it from fields", "include \"x\", b = 2\nc = 3", """{"a":1,"b":2,"c":3}""")]
    [InlineData("newlines may stand before the name", "include\n\n\"x\"", """{"a":1}""")]
    [InlineData("white space may stand inside the parentheses", "include required( file(\t\"x\" ) )", """{"a":1}""")]
    [InlineData("later in a key the word is plain", "my include = 1", """{"my include":1}""")]
    [InlineData("as a value and as an item it is plain", "b = include\nc = [include]", """{"b":"include","c":["include"]}""")]
    [InlineData("in quotes it is a key", "\"include\" = 1", """{"include":1}""")]
    [InlineData("a longer word is a key", "includes = 1\ninclude-all = 2", """{"include-all":2,"includes":1}""")]
    public void Include_must_be_a_statement(string rule, string text, string expected) => Assert.Equal(expected, Texts.FileJson("run.conf", ("run.conf", text), ("x.conf", "a = 1")));

    [Theory]
    [InlineData("an unquoted name", "include x.conf", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("two names", "include \"x\" \"y\"", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("a concatenation", "include \"x\".conf", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("a substitution", "include ${x}", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("a substitution in parentheses", "include file(${x})", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("a missing parenthesis", "include required(\"x\"", "run.conf:1:1  include needs one quoted file name")]
    [InlineData("a separator", "include = \"x\"", "run.conf:1:1  include starts a file inclusion - it is not free as a key")]
    [InlineData("a field on the same line", "include \"x\" b = 1", "run.conf:1:1  include")]
    [InlineData("url()", "include url(\"http://h/x.conf\")", "run.conf:1:1  include url(...) and classpath(...) are not supported - only files are read")]
    [InlineData("url() without quotes", "include url(http://h/x.conf)", "run.conf:1:1  include url(...) and classpath(...) are not supported - only files are read")]
    [InlineData("classpath()", "include required( classpath( \"x\" ) )", "run.conf:1:1  include url(...) and classpath(...) are not supported - only files are read")]
    [InlineData("a URL in quotes", "include \"http://h/x.conf\"", "run.conf:1:9  include of the URL http://h/x.conf - only files are read")]
    [InlineData("a file URL", "include required(\"file:///x.conf\")", "run.conf:1:18  include of the URL file:///x.conf - only files are read")]
    [InlineData("Java properties", "include \"x.properties\"", "run.conf:1:9  include of x.properties - Java properties files are not read - write their keys in a .conf file")]
    public void Include_must_refuse(string rule, string text, string start) =>
        Assert.StartsWith(start, Texts.FileErrors("run.conf", ("run.conf", text), ("x.conf", ""), ("y.conf", "")), StringComparison.Ordinal);

    [Fact]
    public void Included_list_must_be_refused_where_it_stands() =>
        Assert.StartsWith("x.json:1:1  a config file holds keys, not a list", Texts.FileErrors("run.conf", ("run.conf", "include \"x\""), ("x.json", "[1]")), StringComparison.Ordinal);

    [Theory]
    [InlineData("an included key overrides an earlier one", "a = 0\ninclude \"x\"", """{"a":1,"o":{"p":1}}""")]
    [InlineData("an included object merges with an earlier one", "o { q = 2 }\ninclude \"x\"", """{"a":1,"o":{"p":1,"q":2}}""")]
    [InlineData("a later key overrides an included one", "include \"x\"\na = 2\no { p = 3 }", """{"a":2,"o":{"p":3}}""")]
    [InlineData("an included value may be appended to", "include \"x\"\na = ${a}1", """{"a":"11","o":{"p":1}}""")]
    public void Include_must_merge_as_if_its_keys_stood_there(string rule, string text, string expected) =>
        Assert.Equal(expected, Texts.FileJson("run.conf", ("run.conf", text), ("x.conf", "a = 1\no { p = 1 }")));

    [Theory]
    [InlineData("first relative to the included root", "a { include \"x\" }\nq = outer", "q = inner, y = ${q}", """{"a":{"q":"inner","y":"inner"},"q":"outer"}""")]
    [InlineData("then relative to the including root", "a { include \"x\" }\nq = outer", "y = ${q}", """{"a":{"y":"outer"},"q":"outer"}""")]
    [InlineData("after the whole configuration is merged", "a { include \"x\" }\na { q = late }", "q = early, y = ${q}", """{"a":{"q":"late","y":"late"}}""")]
    [InlineData("optional ones, too", "a { include \"x\" }", "y = ${?q}, z = ${?y}", """{"a":{}}""")]
    [InlineData("under a path key", "a.b { include \"x\" }", "q = 1, y = ${q}", """{"a":{"b":{"q":1,"y":1}}}""")]
    public void Included_substitution_must_be_looked_up(string rule, string text, string included, string expected) =>
        Assert.Equal(expected, Texts.FileJson("run.conf", ("run.conf", text), ("x.conf", included)));

    [Theory]
    [InlineData("a missing file is ignored", "include \"none\"\ninclude file(\"none.conf\")\na = 1", """{"a":1}""")]
    [InlineData("a name without extension reads json, then conf", "include \"both\"", """{"a":"conf","b":"json"}""")]
    [InlineData("a name with extension reads that file only", "include \"both.json\"", """{"a":"json","b":"json"}""")]
    [InlineData("another dot in the name is no extension", "include \"v1.2\"", """{"v":1}""")]
    [InlineData("names are relative to the including file, not to the process", "include \"sub/in.conf\"", """{"deep":1}""")]
    [InlineData("file(...) is relative to the including file, too", "include file(\"sub/in.conf\")", """{"deep":1}""")]
    [InlineData("an absolute path is kept", "include \"/etc/lateral.conf\"", """{"abs":1}""")]
    public void Included_file_must_be_found(string rule, string text, string expected) => Assert.Equal(expected, Texts.FileJson(
        "dir/run.conf", ("dir/run.conf", text), ("dir/both.json", "{\"a\":\"json\",\"b\":\"json\"}"), ("dir/both.conf", "a = conf"), ("dir/v1.2.conf", "v = 1"),
        ("dir/sub/in.conf", "include file(\"deep.conf\")"), ("dir/sub/deep.conf", "deep = 1"), ("/etc/lateral.conf", "abs = 1"), ("sub/in.conf", "wrong = 1")));

    [Theory]
    [InlineData("include required(\"none\")", "dir/run.conf:1:18  file not found: dir/none")]
    [InlineData("include required(file(\"none.conf\"))", "dir/run.conf:1:23  file not found: dir/none.conf")]
    public void Required_file_must_exist(string text, string start) =>
        Assert.StartsWith(start, Texts.FileErrors("dir/run.conf", ("dir/run.conf", text)).Replace('\\', '/'), StringComparison.Ordinal);

    [Fact]
    public void Missing_file_must_suggest_its_neighbour()
    {
        var folder = Directory.CreateTempSubdirectory("lateral-config-").FullName;
        try
        {
            var run = Path.Combine(folder, "run.conf");
            File.WriteAllText(Path.Combine(folder, "site.conf"), "a = 1");
            File.WriteAllText(run, "include required(\"sit.conf\")\ninclude required(\"siet\")");
            var lines = Assert.Throws<ConfigException>(() => Hocon.Load([run, Path.Combine(folder, "sute.conf"), folder], [])).Errors;
            Assert.EndsWith("did you mean site.conf?", lines[0].Message, StringComparison.Ordinal);
            Assert.EndsWith("did you mean site?", lines[1].Message, StringComparison.Ordinal);
            Assert.EndsWith($"did you mean {Path.Combine(folder, "site.conf")}?", lines[2].Message, StringComparison.Ordinal);
            Assert.StartsWith("is a folder", lines[3].Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void File_must_be_utf8_and_the_error_must_name_the_place()
    {
        Assert.Equal("a = é", SourceText.Decode(Encoding.UTF8.GetPreamble().AsSpan().ToArray().Concat(Encoding.UTF8.GetBytes("a = é")).ToArray()));
        var bad = Assert.Throws<SourceTextException>(() => SourceText.Decode([.. "a = é\nb = x"u8, 0xE9, (byte)'\n']));
        Assert.Equal((2, 6, "byte 0xE9 is not UTF-8 - a config file is UTF-8 - save it as UTF-8, or name another file"), (bad.Line, bad.Column, bad.Message));
        Assert.Contains("UTF-16", Assert.Throws<SourceTextException>(() => SourceText.Decode([0xFF, 0xFE, (byte)'a', 0])).Message, StringComparison.Ordinal);
        var options = new HoconOptions { ReadFile = path => SourceText.Decode([(byte)'a', 0xFF]) };
        Assert.StartsWith("run.conf:1:2  byte 0xFF is not UTF-8", Assert.Throws<ConfigException>(() => Hocon.Load(["run.conf"], [], options)).Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Endless_file_must_be_refused()
    {
        Assert.StartsWith("/dev/zero  it has more than 16 MiB", Assert.Throws<ConfigException>(() => Hocon.Load(["/dev/zero"], [])).Message, StringComparison.Ordinal);
    }
}
