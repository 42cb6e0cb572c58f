using System.Text.Json;

namespace Lateral.Configuration.Tests;

public sealed class CanonicalJsonTests
{
    [Fact]
    public void Writer_must_sort_keys_and_keep_numbers_as_written() =>
        Assert.Equal("""{"B":1e-6,"a":[1.50,"007",null,true],"b":{"x.y":"1"}}""", Texts.Json("b { \"x.y\" = \"1\" }\na = [1.50, 007, null, true]\nB = 1e-6"));

    [Fact]
    public void Writer_for_people_must_indent_and_keep_the_order_of_the_files() =>
        Assert.Equal("{\n  \"b\": {},\n  \"a\": [\n    1,\n    2\n  ]\n}", CanonicalJson.Write(Texts.Parse("b {}\na = [1, 2]"), indented: true, sorted: false));

    [Fact]
    public void Text_must_be_valid_json_for_every_character()
    {
        var text = string.Concat(Enumerable.Range(0, 0x3000).Select(i => (char)i)) + "\U0001F600\uD800\uDC00 \u2028";
        var json = CanonicalJson.Write(new ConfigObject(new Origin("t", 1, 1), new Dictionary<string, ConfigValue> { [text] = new ConfigScalar(new Origin("t", 1, 1), text, true, ScalarKind.String) }));
        using var document = JsonDocument.Parse(json);
        Assert.Equal(text, document.RootElement.EnumerateObject().Single().Value.GetString());
        Assert.Equal(text, ((ConfigScalar)Texts.Parse(json).Fields[text]).Text);
    }

    [Fact]
    public void Leaves_must_name_path_and_origin()
    {
        var leaves = ConfigLeaves.Flatten(Texts.Parse("a { b = 1, \"c.d\" = [x, { y = 2 }] }\ne {}\nf = []"));
        Assert.Equal(
            ["a.b 1 t.conf:1:9", "a.\"c.d\"[0] x t.conf:1:21", "a.\"c.d\"[1].y 2 t.conf:1:30", "e {} t.conf:2:3", "f [] t.conf:3:5"],
            leaves.Select(l => $"{l.Path} {(l.Value is ConfigScalar s ? s.Text : CanonicalJson.Write(l.Value))} {l.Origin}"));
    }

    [Theory]
    [InlineData("password", true)]
    [InlineData("judge.api-key", true)]
    [InlineData("db.connection-string", false)]
    [InlineData("HF_TOKEN", true)]
    [InlineData("client-secret", true)]
    [InlineData("max-tokens", false)]
    [InlineData("tokenizer", false)]
    [InlineData("mask-token", false)]
    [InlineData("mask-token-id", false)]
    [InlineData("monkey", false)]
    public void Secret_keys_must_be_recognised(string key, bool secret) => Assert.Equal(secret, Secrets.IsSecret(key));

    [Fact]
    public void Redaction_must_hide_secrets_and_nothing_else() =>
        Assert.Equal(
            """{"a":{"api-key":"***","empty-token":null,"n":1,"password":"***"},"dsn":"postgres://u:***@db/x","secrets":{"deep":["***",{"x":"***"}]},"url":"Host=db;Password=***;Port=1"}""",
            CanonicalJson.Write(Secrets.Redact(Texts.Parse(
                """
                a { password = hunter2, api-key = 12345, n = 1, empty-token = null }
                secrets { deep = [s, { x = 1 }] }
                url = "Host=db;Password=hunter2;Port=1"
                dsn = "postgres://u:hunter2@db/x"
                """))));
}
