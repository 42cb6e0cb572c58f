namespace Lateral.Configuration.Tests;

public sealed class ReaderTests
{
    private enum Remask
    {
        LowConfidence,
        Random,
        TopKMargin,
    }

    [Fact]
    public void Getters_must_return_what_is_written()
    {
        var errors = new List<ConfigError>();
        var root = new ConfigReader(Texts.Parse(
            """
            s {
              int = 8, long = 1e12, double = 2e-6, percent = 20%, on = on, no = no, true = true
              text = some text, number-as-text = 007, empty = "", nothing = null
              wait = 10 minutes, short = 250ms, size = 64 MiB, bytes = 512
              remask = low-confidence, margin = top-k-margin, kind = sqlite
              labels { team = rl, cost = 5 }, seeds = ["a:1", b], indexed { "1" = y, "0" = x }
              restart { max = 10 }
            }
            """), errors);
        var s = root.Section("s");
        Assert.Equal(8, s.Int("int", 1, 8));
        Assert.Equal(1_000_000_000_000, s.Long("long"));
        Assert.Equal(2e-6, s.Double("double", 0, 1));
        Assert.Equal(0.2, s.Double("percent"));
        Assert.True(s.Bool("on") && s.Bool("true") && !s.Bool("no"));
        Assert.Equal(("some text", "007", ""), (s.String("text"), s.String("number-as-text"), s.String("empty")));
        Assert.Equal((null, null, "007"), (s.OptionalString("nothing"), s.OptionalString("absent"), s.OptionalString("number-as-text")));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromMilliseconds(250)), (s.Duration("wait"), s.Duration("short")));
        Assert.Equal((64L << 20, 512L), (s.Size("size"), s.Size("bytes")));
        Assert.Equal((Remask.LowConfidence, Remask.TopKMargin), (s.Enum<Remask>("remask"), s.Enum<Remask>("margin")));
        Assert.Equal("sqlite", s.OneOf("kind", ["sqlite", "postgres"]));
        Assert.Equal(new Dictionary<string, string> { ["team"] = "rl", ["cost"] = "5" }, s.StringMap("labels"));
        Assert.Equal(["a:1", "b"], s.StringList("seeds"));
        Assert.Equal(["x", "y"], s.StringList("indexed"));
        Assert.Equal(10, s.Int("restart.max"));
        Assert.Equal(10, s.Section("restart").Int("max"));
        root.CheckUnknown();
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("n = two", "t.conf:1:9  s.n must be a whole number >= 0, got \"two\" - write n = 1")]
    [InlineData("n = -1", "t.conf:1:9  s.n must be a whole number >= 0, got -1 - write n = 1")]
    [InlineData("n = 1.5", "t.conf:1:9  s.n must be a whole number >= 0, got 1.5 - write n = 1")]
    [InlineData("n = 99999999999", "t.conf:1:9  s.n must be a whole number >= 0, got 99999999999 - write n = 1")]
    [InlineData("n = null", "t.conf:1:9  s.n must be a whole number >= 0, got null - write n = 1")]
    [InlineData("n = [1]", "t.conf:1:9  s.n must be a whole number >= 0, got a list - write n = 1")]
    [InlineData("n { a = 1 }", "t.conf:1:7  s.n must be a whole number >= 0, got a section - write n = 1")]
    [InlineData("", "t.conf:1:3  s.n is missing - it must be a whole number >= 0 - write n = 1")]
    public void Int_must_name_key_value_and_bound(string field, string error) =>
        Assert.Equal(error, Texts.ReadErrors($"s {{ {field} }}", root => Assert.Equal(0, root.Section("s").Int("n", min: 0))));

    [Fact]
    public void Every_getter_must_explain_its_refusal() =>
        Assert.Equal(
            """
            t.conf:2:12  s.groups must be a whole number from 1 to 64, got 65 - write groups = 1
            t.conf:3:8  s.lr must be a number from 0 to 1, got "ten" - write lr = 0
            t.conf:4:13  s.timeout must be a duration with its unit (ms, s, m, h, d) from 1s to 1h, got 30 - a bare number has no unit - write 30s or 30ms
            t.conf:5:11  s.pause must be a duration with its unit (ms, s, m, h, d) >= 2m, got "10s" - write pause = 2m
            t.conf:6:9  s.max must be a size in bytes or with its unit (B, KiB, MiB, GiB, kB, MB, GB), got "4 MBit" - write max = 64 MiB
            t.conf:7:13  s.enabled must be on or off, got "maybe" - write enabled = on
            t.conf:8:12  s.remask must be one of low-confidence, random, top-k-margin, got "low-confidense" - did you mean low-confidence?
            t.conf:9:10  s.kind must be one of sqlite, postgres, got "oracle" - write kind = sqlite
            t.conf:10:11  s.seeds must be a list, got "a b" - write seeds = [a, b]
            t.conf:11:10  s.name must be text that is not empty, got "" - write name = "text"
            t.conf:12:17  s.labels.x must be text, got a list - write x = "text"
            """, Texts.ReadErrors(
            """
            s {
              groups = 65
              lr = ten
              timeout = 30
              pause = 10s
              max = 4 MBit
              enabled = maybe
              remask = low-confidense
              kind = oracle
              seeds = a b
              name = ""
              labels { x  = [] }
            }
            """, root =>
            {
                var s = root.Section("s");
                Assert.Equal(1, s.Int("groups", 1, 64));
                Assert.Equal(0, s.Double("lr", 0, 1));
                Assert.Equal(TimeSpan.FromSeconds(1), s.Duration("timeout", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)));
                Assert.Equal(TimeSpan.FromMinutes(2), s.Duration("pause", TimeSpan.FromMinutes(2)));
                s.Size("max");
                Assert.False(s.Bool("enabled"));
                Assert.Equal(Remask.LowConfidence, s.Enum<Remask>("remask"));
                Assert.Equal("sqlite", s.OneOf("kind", ["sqlite", "postgres"]));
                Assert.Empty(s.StringList("seeds"));
                s.String("name", allowEmpty: false);
                s.StringMap("labels");
                root.CheckUnknown();
            }));

    [Fact]
    public void Section_must_be_one_error_when_missing_or_wrong()
    {
        Assert.Equal("t.conf:1:1  section rollout is missing - write rollout { ... }", Texts.ReadErrors("", root => root.Section("rollout").Int("n")));
        Assert.Equal("t.conf:1:11  rollout must be a section, got 5 - write rollout { key = value }", Texts.ReadErrors("rollout = 5", root => root.Section("rollout").Int("n")));
        Assert.Equal("", Texts.ReadErrors("a = null", root => Assert.Null(root.OptionalSection("a") ?? root.OptionalSection("b"))));
    }

    [Fact]
    public void Unknown_key_must_suggest_siblings_first_and_then_any_key()
    {
        const string text =
            """
            rollout { gruops = 8, temprature = 1, group-size = 4 }
            staleness { max-version = 2 }
            algoritm { lr = 1 }
            akka.remtoe.x = 1
            x-note = keep
            rollout.x-mine { any = thing }
            zzz = 1
            reward.pools.answer { wieght = 1 }
            """;
        Assert.Equal(
            """
            t.conf:1:11  unknown key rollout.gruops - did you mean rollout.groups?
            t.conf:1:23  unknown key rollout.temprature - did you mean rollout.temperature?
            t.conf:1:39  unknown key rollout.group-size - did you mean algorithm.group-size?
            t.conf:2:13  unknown key staleness.max-version - did you mean staleness.max-versions?
            t.conf:3:1  unknown key algoritm - did you mean algorithm?
            t.conf:7:1  unknown key zzz - nothing reads it - remove it, or name it x-... to keep a note
            t.conf:8:23  unknown key reward.pools.answer.wieght - did you mean reward.pools.answer.weight?
            """, Texts.ReadErrors(text, root =>
            {
                Read(root);
                root.CheckUnknown();
            }).Replace("t.conf:1:1  section algorithm is missing - write algorithm { ... }\n", "", StringComparison.Ordinal));

        static void Read(ConfigReader root)
        {
            root.Open("akka");
            root.Section("rollout").Has("groups");
            root.Section("rollout").Has("temperature");
            root.Section("staleness").Has("max-versions");
            root.Section("algorithm").Has("group-size");
            foreach (var pool in root.Section("reward").Sections("pools").Values) pool.Has("weight");
        }
    }

    [Fact]
    public void Unread_key_of_an_optional_section_must_be_found() =>
        Assert.Equal("t.conf:1:5  unknown key a.typo - nothing reads it - remove it, or name it x-... to keep a note", Texts.ReadErrors("a { typo = 1 }", root =>
        {
            root.OptionalSection("a");
            root.CheckUnknown();
        }));

    [Fact]
    public void Map_entry_set_to_null_must_be_removed()
    {
        var errors = new List<ConfigError>();
        var root = new ConfigReader(Texts.Parse("pools { a { w = 1 }, b = null, \"c.d\" { w = 2 } }"), errors);
        var pools = root.Sections("pools");
        Assert.Equal(["a", "c.d"], pools.Keys);
        Assert.Equal((1, 2), (pools["a"].Int("w"), pools["c.d"].Int("w")));
        Assert.Equal("pools.\"c.d\"", pools["c.d"].Path);
        root.CheckUnknown();
        Assert.Empty(errors);
    }

    [Fact]
    public void Raw_section_must_be_left_to_its_reader()
    {
        var errors = new List<ConfigError>();
        var root = new ConfigReader(Texts.Parse("akka.remote.port = 0"), errors);
        Assert.Equal("""{"remote":{"port":0}}""", CanonicalJson.Write(root.Raw("akka")!));
        Assert.Null(root.Raw("absent"));
        root.CheckUnknown();
        Assert.Empty(errors);
    }

    [Fact]
    public void Rule_between_keys_must_point_at_the_value() =>
        Assert.Equal("t.conf:1:18  s.group-size must be at least 2 for grpo", Texts.ReadErrors("s { group-size = 1 }", root => root.Section("s").Error("group-size", "must be at least 2 for grpo")));
}
