namespace Lateral.Configuration.Tests;

public sealed class LayerTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["run.conf"] = "algorithm = ${algorithms.grpo} { lr = 2e-6 }\nrollout.groups = 8\nseeds = [a]",
        ["site.conf"] = "rollout { groups = 16 }\nseeds += b\nalgorithms.grpo.clip = 0.3",
    };

    private const string Reference = "algorithms { grpo { lr = 1e-6, clip = 0.2 } }\nrollout { groups = 4, timeout = 30s }\nout = ${rollout.groups} groups";

    private static ConfigObject Load(params string[] sets) => Hocon.Load(["run.conf", "site.conf"], sets, Texts.Options(Files), Reference);

    [Fact]
    public void Layers_must_merge_left_to_right_and_resolve_afterwards() =>
        Assert.Equal(
            """{"algorithm":{"clip":0.3,"lr":2e-6},"algorithms":{"grpo":{"clip":0.3,"lr":1e-6}},"out":"16 groups","rollout":{"groups":16,"timeout":"30s"},"seeds":["a","b"]}""",
            CanonicalJson.Write(Load()));

    [Fact]
    public void Set_must_win_and_tell_its_origin()
    {
        var root = Load("rollout.groups=32", "seeds += c", "algorithm { lr = 1e-5 }");
        Assert.Equal("32", ((ConfigScalar)root.Find("rollout", "groups")!).Text);
        Assert.Equal("--set:1:16", root.Find("rollout", "groups")!.Origin.ToString());
        Assert.Equal("--set:3:18", root.Find("algorithm", "lr")!.Origin.ToString());
        Assert.Equal("""["a","b","c"]""", CanonicalJson.Write(root.Fields["seeds"]));
        Assert.Equal("reference.conf:2:33", root.Find("rollout", "timeout")!.Origin.ToString());
        Assert.Equal("site.conf:1:20", Load().Find("rollout", "groups")!.Origin.ToString());
    }

    [Fact]
    public void Errors_of_all_layers_must_come_out_together()
    {
        var files = new Dictionary<string, string> { ["a.conf"] = "x =\ny = http://h", ["b.conf"] = "z = ${nope}\nw = \"open" };
        var message = Assert.Throws<ConfigException>(() => Hocon.Load(["a.conf", "missing.conf", "b.conf"], ["q"], Texts.Options(files))).Message;
        Assert.Equal(
            ["a.conf:1:1", "a.conf:2:9", "missing.conf", "b.conf:1:5", "b.conf:2:5", "--set:1:1"],
            message.Split('\n').Select(line => line[..line.IndexOf("  ", StringComparison.Ordinal)]));
    }

    [Fact]
    public void Partial_tree_must_let_the_reader_add_its_own_errors()
    {
        var errors = new List<ConfigError>();
        var files = new Dictionary<string, string> { ["run.conf"] = "s { a = ${nope}, b = two, c = 1 }" };
        var root = new ConfigReader(Hocon.TryLoad(["run.conf"], [], errors, Texts.Options(files))!, errors);
        var section = root.Section("s");
        section.Int("a");
        section.Int("b");
        root.CheckUnknown();
        Assert.Equal(["run.conf:1:9", "run.conf:1:22", "run.conf:1:27"], errors.Select(e => e.Origin.ToString()));
    }

    [Fact]
    public void Unbalanced_braces_must_stop_before_guessing()
    {
        var errors = new List<ConfigError>();
        Assert.Null(Hocon.TryLoad(["run.conf"], [], errors, Texts.Options(new Dictionary<string, string> { ["run.conf"] = "a {\nb = ${nope}" })));
        Assert.Equal("run.conf:1:3  '{' opened here is never closed - the file ends first - add '}'", Assert.Single(errors).ToString());
    }

    [Fact]
    public void Default_options_must_read_real_files_and_report_missing_ones()
    {
        var folder = Directory.CreateTempSubdirectory("lateral-config-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "base.conf"), "a = 1");
            File.WriteAllText(Path.Combine(folder, "run.conf"), "include required(\"base.conf\")\nb = 2");
            Assert.Equal("""{"a":1,"b":2}""", CanonicalJson.Write(Hocon.Load([Path.Combine(folder, "run.conf")], [])));
            var missing = Path.Combine(folder, "rum.conf");
            Assert.Equal($"{missing}  file not found - looked in {folder} - did you mean {Path.Combine(folder, "run.conf")}?", Assert.Throws<ConfigException>(() => Hocon.Load([missing], [])).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
