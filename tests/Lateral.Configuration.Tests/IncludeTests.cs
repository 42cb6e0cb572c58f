namespace Lateral.Configuration.Tests;

public sealed class IncludeTests
{
    [Theory]
    [InlineData("include \"x.conf\"")]
    [InlineData("include file(\"x.conf\")")]
    [InlineData("include file( \"x.conf\" )")]
    [InlineData("include required(\"x.conf\")")]
    [InlineData("include required( file( \"x.conf\" ) )")]
    [InlineData("include \"x\"")]
    [InlineData("include\n\n  \"x.conf\"")]
    [InlineData("include \"x.conf\" # comment")]
    [InlineData("{ include \"x.conf\", }")]
    public void Include_must_accept_every_form(string text) =>
        Assert.Equal("""{"a":1}""", Texts.FileJson("run.conf", ("run.conf", text), ("x.conf", "a = 1")));

    [Fact]
    public void Include_must_be_relative_to_the_including_file() =>
        Assert.Equal("""{"a":1,"b":2}""", Texts.FileJson("conf/run.conf", ("conf/run.conf", "include \"sub/x.conf\""), ("conf/sub/x.conf", "a = 1\ninclude \"y.conf\""), ("conf/sub/y.conf", "b = 2"), ("y.conf", "b = wrong")));

    [Fact]
    public void Include_must_merge_where_it_stands() =>
        Assert.Equal("""{"a":2,"b":3,"c":2}""", Texts.FileJson("run.conf", ("run.conf", "a = 1, c = 1\ninclude \"x\"\nb = 3"), ("x.conf", "a = 2, b = 2, c = 2")));

    [Fact]
    public void Name_without_extension_must_read_json_and_then_conf() =>
        Assert.Equal("""{"a":1,"b":2}""", Texts.FileJson("run.conf", ("run.conf", "include \"x\""), ("x.json", "{\"a\":1,\"b\":1}"), ("x.conf", "b = 2")));

    [Fact]
    public void Missing_optional_include_must_be_ignored() =>
        Assert.Equal("""{"a":1}""", Texts.FileJson("run.conf", ("run.conf", "include \"site.conf\"\na = 1")));

    [Fact]
    public void Substitution_must_prefer_the_place_of_the_include_and_fall_back_to_the_root()
    {
        (string, string)[] files = [("run.conf", "a { include \"foo.conf\" }\na { x = 42 }\nroot = r"), ("foo.conf", "x = 10\ny = ${x}\nz = ${root}\nlist = [${x}]\nx = ${x}")];
        Assert.Equal("""{"a":{"list":[42],"x":42,"y":42,"z":"r"},"root":"r"}""", Texts.FileJson("run.conf", files));
    }

    [Fact]
    public void Origin_must_name_the_included_file()
    {
        var root = Hocon.Load(["conf/run.conf"], [], Texts.Options(new Dictionary<string, string> { ["conf/run.conf"] = "include \"x\"\nb = 2", ["conf/x.conf"] = "\na = 1" }));
        Assert.Equal("conf/x.conf:2:5", root.Fields["a"].Origin.ToString().Replace('\\', '/'));
        Assert.Equal("conf/run.conf:2:5", root.Fields["b"].Origin.ToString());
    }

    [Theory]
    [InlineData("a = 1\ninclude required(\"x.conf\")", "run.conf:2:18  file not found: x.conf - include required(...) must find it - check the name; it is relative to the including file")]
    [InlineData("include \"run.conf\"", "run.conf:1:9  include cycle: run.conf -> run.conf - a file cannot contain itself - remove one of these includes")]
    [InlineData("include = 3", "run.conf:1:1  include starts a file inclusion - it is not free as a key - write \"include\" in quotes")]
    [InlineData("include x.conf", "run.conf:1:1  include needs one quoted file name - write include \"other.conf\" or include required(file(\"other.conf\"))")]
    [InlineData("include url(\"http://x\")", "run.conf:1:1  include url(...) and classpath(...) are not supported - only files are read - write include file(\"other.conf\")")]
    [InlineData("include \"\"", "run.conf:1:9  include names no file - write include \"other.conf\"")]
    [InlineData("include ${x}", "run.conf:1:1  include needs one quoted file name - write include \"other.conf\" or include required(file(\"other.conf\"))")]
    public void Mistake_must_be_named(string text, string error) => Assert.Equal(error, Texts.FileErrors("run.conf", ("run.conf", text)));

    [Fact]
    public void Cycle_through_other_files_must_name_the_whole_loop() =>
        Assert.Equal(
            "b.conf:1:9  include cycle: a.conf -> b.conf -> a.conf - a file cannot contain itself - remove one of these includes",
            Texts.FileErrors("a.conf", ("a.conf", "include \"b.conf\""), ("b.conf", "include \"a.conf\"")));

    [Fact]
    public void Doubling_includes_must_stop()
    {
        var files = Enumerable.Range(0, 30).Select(i => ($"f{i}.conf", $"include \"f{i + 1}.conf\"\ninclude \"f{i + 1}.conf\"")).Append(("f30.conf", "a = 1")).ToArray();
        Assert.Contains("too many includes - one load may read 1000 files", Texts.FileErrors("f0.conf", files), StringComparison.Ordinal);
    }

    [Fact]
    public void Endless_chain_of_new_files_must_stop()
    {
        var options = new HoconOptions { Environment = _ => null, ReadFile = path => $"a [{{ include \"{path.Length}{path}\" }}]".Replace("a [", "a = [", StringComparison.Ordinal) };
        Assert.Contains("too many includes", Assert.Throws<ConfigException>(() => Hocon.Load(["x"], [], options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unreadable_file_must_be_an_error_not_a_crash()
    {
        var options = new HoconOptions { ReadFile = path => throw new IOException("disk on fire") };
        Assert.Equal("run.conf  run.conf cannot be read: disk on fire", Assert.Throws<ConfigException>(() => Hocon.Load(["run.conf"], [], options)).Message);
    }
}
