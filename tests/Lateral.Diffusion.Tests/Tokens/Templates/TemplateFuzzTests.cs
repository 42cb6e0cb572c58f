using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>Thousands of templates that nobody would write: each is rendered or refused, and nothing else, in little time and memory.</summary>
public class TemplateFuzzTests
{
    private static readonly TemplateLimits Small = new(Length: 20_000, Nesting: 30, Depth: 200, Steps: 20_000, Characters: 200_000);

    private static readonly string[] Words =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", "+%}", "if", "elif", "else", "endif", "for", "in", "endfor", "set", "endset", "macro", "endmacro", "raw", "endraw", "generation", "endgeneration", "break", "continue",
        "not", "and", "or", "is", "defined", "none", "string", "divisibleby", "true", "false", "loop", "x", "s", "xs", "d", "users", "messages", "namespace", "range", "dict", "raise_exception", "missing", "m", "(", ")", "[", "]", "{", "}", ":", ",",
        ".", "|", "=", "==", "!=", "<", ">=", "+", "-", "*", "/", "//", "%", "**", "~", "0", "1", "2", "-1", "1000000000", "9223372036854775807", "1.5", "1e308", "'a'", "''", "'😀'", "'\\n'", "\"q\"", "\n", " ", "text", "😀", "\ud83d", "\u2028",
        "trim", "length", "upper", "join", "first", "last", "default", "tojson", "list", "int", "float", "replace", "reverse", "sort", "unique", "map", "selectattr", "select", "reject", "items", "dictsort", "indent", "title", "attribute", "split", "strip",
        "get", "keys", "startswith", "index", "cycle", "count", "splitlines", "find", "partition",
    ];

    private static readonly JsonObject Variables = JsonNode.Parse("""
        {"x": 3, "s": "Hello\n😀 World", "xs": [3, 1, 2.5, "b", null], "d": {"a": 1, "b": [1, {"c": "é"}]}, "users": [{"name": "Ann", "age": 31}, {"name": "bob"}], "big": 9223372036854775807,
         "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "add_generation_prompt": true, "bos_token": "<s>"}
        """)!.AsObject();

    private int _rendered, _refused;

    [Fact]
    public void Random_words_must_be_rendered_or_refused()
    {
        var random = new Random(1);
        for (var round = 0; round < 3000; round++) Try(string.Join(random.Next(3) == 0 ? "" : " ", Enumerable.Range(0, random.Next(1, 30)).Select(_ => Words[random.Next(Words.Length)])));
        Assert.InRange(_refused, 1000, 3000);
        Assert.InRange(_rendered, 50, 3000);
    }

    [Fact]
    public void Damaged_templates_must_be_rendered_or_refused()
    {
        var random = new Random(2);
        var sound = GoldenTemplates.ChatTemplates.Values.Concat(GoldenTemplates.OfCases.Select(golden => golden.Template)).Where(template => template.Length > 0).ToList();
        for (var round = 0; round < 3000; round++) Try(Damaged(sound[random.Next(sound.Count)], random));
        Assert.InRange(_refused, 500, 2500);
        Assert.InRange(_rendered, 500, 2500);
    }

    /// <summary>These are templates for certain, so that what is evaluated is odd and not how it is written.</summary>
    [Fact]
    public void Random_expressions_must_be_rendered_or_refused()
    {
        var random = new Random(3);
        for (var round = 0; round < 3000; round++)
        {
            var value = Expression(random, 5);
            Try(random.Next(4) switch
            {
                0 => $"{{% for i in {value} %}}{{{{ {Expression(random, 2)} }}}}{{% if {Expression(random, 2)} %}}{{% break %}}{{% endif %}}{{% endfor %}}",
                1 => $"{{% set n = namespace(v={value}) %}}{{% for i in range(12) %}}{{% set n.v = {Expression(random, 3).Replace("xs", "n.v", StringComparison.Ordinal)} %}}{{% endfor %}}{{{{ n.v }}}}",
                2 => $"{{% macro m(a, b={value}) %}}{{{{ b ~ a }}}}{{% endmacro %}}{{{{ m({Expression(random, 2)}) | length }}}}",
                _ => $"{{{{ {value} }}}}",
            });
        }

        Assert.InRange(_refused, 500, 2900);
        Assert.InRange(_rendered, 100, 2900);
    }

    private void Try(string template)
    {
        var (clock, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        try
        {
            Assert.InRange(Template.Parse(template, Small).Render(GoldenTemplates.Values(Variables)).Length, 0, 200_000);
            _rendered++;
        }
        catch (TemplateException refusal)
        {
            Assert.NotEmpty(refusal.Message);
            Assert.True(refusal.Line > 0 || refusal.Message.StartsWith("the template has ", StringComparison.Ordinal), refusal.Message);
            _refused++;
        }
        catch (Exception crash)
        {
            Assert.Fail($"{crash}\n{template}");
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), template);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64L << 20, template);
    }

    private static string Damaged(string template, Random random)
    {
        var text = new StringBuilder(template);
        for (var change = random.Next(1, 5); change > 0 && text.Length > 0; change--)
        {
            var at = random.Next(text.Length);
            var length = random.Next(1, Math.Min(12, text.Length - at) + 1);
            switch (random.Next(5))
            {
                case 0: text.Remove(at, length); break;
                case 1: text.Insert(at, Words[random.Next(Words.Length)]); break;
                case 2: text.Insert(random.Next(text.Length), text.ToString(at, length)); break;
                case 3: text[at] = (char)random.Next(32, 127); break;
                default: text.Length = at + 1; break;
            }
        }

        return text.ToString();
    }

    private static string Expression(Random random, int depth)
    {
        string[] atoms = ["x", "s", "xs", "d", "users", "big", "messages", "missing", "none", "true", "0", "-1", "2", "1.5", "''", "'a'", "'😀b'", "[]", "{}", "()", "range(4)", "loop", "n", "i", "namespace(a=1)"];
        if (depth == 0) return atoms[random.Next(atoms.Length)];
        string Inner() => Expression(random, random.Next(depth));
        string One(params string[] all) => all[random.Next(all.Length)];
        return random.Next(14) switch
        {
            0 => $"({Inner()} {One("+", "-", "*", "/", "//", "%", "**", "~", "and", "or")} {Inner()})",
            1 => $"({Inner()} {One("==", "!=", "<", "<=", ">", "in", "not in")} {Inner()})",
            2 => $"[{Inner()}, {Inner()}]",
            3 => $"{{{One("'a'", "1", Inner())}: {Inner()}}}",
            4 => $"({Inner()}, {Inner()})",
            5 => $"{Inner()}[{Inner()}]",
            6 => $"({Inner()})[{One("", "1", "-2", Inner())}:{One("", "1", "-1", Inner())}:{One("", "1", "-1", "2", Inner())}]",
            7 => $"({Inner()}).{One("a", "items()", "keys()", "values()", "get('a')", "strip()", "split()", "split('a', 1)", "upper()", "replace('a', 'bb')", "join(xs)", "find('a')", "splitlines()", "title()", "startswith('a')", "index(1)", "count('')", "rsplit(none, 1)", "index", "previtem")}",
            8 or 9 => $"({Inner()}) | {One("trim", "length", "upper", "join", "join(s)", "first", "last", "default(1)", "tojson", "tojson(indent=2)", "list", "int", "float", "replace('a', s)", "reverse", "sort", "unique", "map('upper')", "map(attribute='name')", "selectattr('age')", "select('string')", "reject('in', xs)", "items", "dictsort", "indent(3)", "title", "string", "count", "capitalize")}",
            10 => $"({Inner()}) is {One("defined", "none", "string", "number", "iterable", "sequence", "odd", "eq 1", "in xs", "divisibleby 2", "not mapping", "lt 3", "true")}",
            11 => $"({Inner()} if {Inner()} else {Inner()})",
            12 => $"{One("not", "-", "+")} {Inner()}",
            _ => $"{One("range", "dict", "namespace", "loop.cycle", "s.join", "m", "d.get")}({Inner()})",
        };
    }
}
