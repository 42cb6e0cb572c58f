using System.Diagnostics;
using System.Text.Json;
using CsCheck;

namespace Lateral.Configuration.Tests;

/// <summary>No input hangs, crashes or throws anything but <see cref="ConfigException"/>; what loads survives the way through JSON.</summary>
public sealed class RobustnessTests
{
    /// <summary>Generous against a busy machine; a hang would miss it by any margin.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", "(", ")", ",", ":", "=", "+=", "\n", "\n", " ", " ", "#", "//", "\"", "\"\"\"", "\\", "\\u12", "$", "${", "${?", "}", "[]", "a", "b", "c", "a.b", "a.b.c", ".", "..",
        "${a}", "${?a}", "${b}", "${?b}", "${a.b}", "${?c}", "\"x\"", "1", "-1.5e3", "true", "null", "10 s", "include ", "include \"a.conf\"", "include \"self.conf\"", "include required(file(\"b\"))",
        "a = ", "b = ", "c = ", "a = ${b} ", "b = ${a} ", "a { ", "c += ", "a = ${a} [1]\n", "b = ${b}${b}\n", "b = x\n", "c = [${?c}, ${a}]\n", "\t", "\r\n", "\0", "\uFEFF", "\uD800", "é", "/", "*", "@",
    ];

    private static readonly string[] Seeds =
    [
        """
        # one machine
        include required("a.conf")
        run   { name = gsm8k-llada, dir = ./runs, dir = ${?LATERAL_RUNS}, steps = 200, seed = 7 }
        rollout   { gen-length = 256, block-length = 32, temperature = 0.9, remask = low-confidence }
        algorithms { base { lr = 1e-6 }, grpo = ${algorithms.base} { group-size = 16 } }
        algorithm = ${algorithms.grpo} { lr = 2e-6 }
        reward.pools { answer { kind = math-answer, weight = 1.0, timeout = 5s }, format { kind = tags } }
        seeds = ["a:1", "b:2"]
        seeds += ${algorithm.lr}
        text = several words "and quoted ones" # comment
        """,
        """
        a = [1, 2] [3]
        a = ${a} [4]
        foo { a { c = 1 } }
        foo = ${foo.a}
        foo { a = 2 }
        bar { x = ${foo.c}, y = ${bar.x}z, list = [${?nope}, ${bar.x}, { k = v }] }
        """,
    ];

    private static Gen<string> One(string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static readonly Gen<string> Soup = One(Fragments).Array[0, 60].Select(string.Concat);

    private static readonly Gen<string> AnyText = Gen.String;

    private static readonly Gen<string> Mutated =
        Gen.Select(One(Seeds), Gen.Select(Gen.Int[0, 2], Gen.Double[0, 1], Gen.Int[0, 30], One(Fragments)).Array[1, 6], (text, edits) =>
        {
            foreach (var (kind, where, length, insert) in edits)
            {
                var at = (int)(where * text.Length);
                var end = Math.Min(text.Length, at + length);
                text = kind switch
                {
                    0 => text.Insert(at, insert),
                    1 => text.Remove(at, end - at),
                    _ => text.Insert(at, text[at..end]),
                };
            }

            return text;
        });

    [Fact]
    public void Random_text_must_load_or_explain() => AnyText.Sample(LoadOrExplain, iter: 3000, threads: 1);

    [Fact]
    public void Random_tokens_must_load_or_explain() => Soup.Sample(LoadOrExplain, iter: 15_000, threads: 1);

    [Fact]
    public void Mutated_configs_must_load_or_explain() => Mutated.Sample(LoadOrExplain, iter: 10_000, threads: 1);

    private static void LoadOrExplain(string text)
    {
        var options = Texts.Options(new Dictionary<string, string> { ["self.conf"] = text, ["a.conf"] = "a { b = 1, c = ${?b} }", ["b.conf"] = "c += ${a}" });
        var watch = Stopwatch.StartNew();
        var load = Task.Run(() =>
        {
            try
            {
                return Hocon.Load(["self.conf"], [], options);
            }
            catch (ConfigException e)
            {
                Assert.NotEmpty(e.Errors);
                Assert.All(e.Errors, error => AssertPlaced(error, text));
                return null;
            }
        });
        Assert.True(load.Wait(Deadline), $"still running after {watch.Elapsed}: {text}");
        if (load.Result is not { } root) return;
        var json = CanonicalJson.Write(root);
        using (JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 200 }))
        {
            var again = Texts.Parse(json);
            Assert.True(again.SameValueAs(root), json);
            Assert.Equal(json, CanonicalJson.Write(again));
            Assert.Equal(json, CanonicalJson.Write(Texts.Parse(CanonicalJson.Write(root, indented: true, sorted: false))));
            Assert.All(ConfigLeaves.Flatten(root), leaf => Assert.True(leaf.Origin.Source.Length > 0));
        }
    }

    /// <summary>Every mistake names a file and, where the file is the text at hand, a place inside it.</summary>
    private static void AssertPlaced(ConfigError error, string text)
    {
        Assert.True(error.Message.Length is > 10 and < 1000, error.ToString());
        Assert.True(error.Origin is { Source: "self.conf" or "a.conf" or "b.conf", Line: > 0, Column: > 0 }, error.ToString());
        if (error.Origin.Source != "self.conf") return;
        var lines = text.Split('\n');
        Assert.True(error.Origin.Line <= lines.Length && error.Origin.Column <= lines[error.Origin.Line - 1].Length + 1, error.ToString());
    }

    /// <summary>Random self-references of one list must equal the fold that they describe.</summary>
    [Fact]
    public void Self_reference_chain_must_equal_its_fold() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 99]).Array[1, 40].Sample(steps =>
        {
            var expected = new List<int>();
            var text = "l = []\n";
            foreach (var (kind, value) in steps)
            {
                text += kind switch { 0 => $"l += {value}\n", 1 => $"l = ${{l}} [{value}]\n", 2 => $"l = [{value}] ${{?l}}\n", _ => $"l = [{value}]\n" };
                if (kind == 3) expected = [value];
                else expected.Insert(kind == 2 ? 0 : expected.Count, value);
            }

            Assert.Equal($"[{string.Join(',', expected)}]", CanonicalJson.Write(Texts.Parse(text).Fields["l"]));
        }, iter: 500, threads: 1);

    [Theory]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("a{")]
    [InlineData("a=[")]
    [InlineData("a=[{")]
    [InlineData("a.")]
    [InlineData("a=\"")]
    [InlineData("\"\"\"")]
    [InlineData("${")]
    [InlineData("a=${")]
    [InlineData("a=${a}\n")]
    [InlineData("a=${a}[1]\n")]
    [InlineData("a=[${a}]\n")]
    [InlineData("a=${a}{b=1}\n")]
    [InlineData("a={b=1}${?a}\n")]
    [InlineData("a.b=${a}\n")]
    [InlineData("a+=${a}\n")]
    [InlineData("a+=1\na=${a}[2]\n")]
    [InlineData("a=${?b}\nb=${?c}\nc=${?a}\n")]
    [InlineData("a={b=${?a}}\n")]
    [InlineData("a=${b}\nb=${?a}\n")]
    [InlineData("include \"self.conf\"\n")]
    [InlineData("]")]
    [InlineData("}")]
    [InlineData(",")]
    [InlineData("=")]
    [InlineData("\\")]
    [InlineData("a b ")]
    public void Repetition_must_end(string unit) => LoadOrExplain(string.Concat(Enumerable.Repeat(unit, 20_000)));

    [Theory]
    [InlineData("a{0} = ${{a{1}}}${{a{1}}}", "a0 = x")]
    [InlineData("a{0} = ${{a{1}}} ${{a{1}}}", "a0 = [1]")]
    [InlineData("a{0} {{ x = ${{a{1}}}, y = ${{a{1}}} }}", "a0 = x")]
    [InlineData("a{0} = [${{a{1}}}, ${{a{1}}}]", "a0 = x")]
    [InlineData("a{0} = ${{?a{2}}} ${{a{1}}} ${{?a{2}}} ${{a{2}}}", "a0 = x")]
    public void Doubling_values_must_stop(string line, string first)
    {
        var text = first + "\n" + string.Concat(Enumerable.Range(1, 60).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, line, i, i - 1, i == 60 ? 1 : i + 1) + "\n"));
        LoadOrExplain(text);
        Assert.NotEmpty(Texts.Errors(text));
    }

    [Fact]
    public void Nesting_must_be_capped_in_files_and_after_substitution()
    {
        static string Nested(int levels) => string.Concat(Enumerable.Repeat("a{", levels)) + "b=1" + new string('}', levels);
        Assert.Equal(100, ConfigLeaves.Flatten(Texts.Parse(Nested(99))).Single().Path.Split('.').Length);
        Assert.Contains("nested too deeply - 100 levels are allowed", Texts.Errors(Nested(100)), StringComparison.Ordinal);
        Assert.Contains("nested too deeply", Texts.Errors(string.Join('.', Enumerable.Repeat("a", 101)) + " = 1"), StringComparison.Ordinal);
        var chain = "a0 = 1\n" + string.Concat(Enumerable.Range(1, 150).Select(i => $"a{i} = [${{a{i - 1}}}]\n"));
        Assert.Contains("nested too deeply after substitution", Texts.Errors(chain), StringComparison.Ordinal);
    }
}
