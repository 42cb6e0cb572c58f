namespace Lateral.Configuration.Tests;

/// <summary>What may be kept of a configuration in a file.</summary>
public sealed class StoredConfigTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["DB_PASSWORD"] = "hunter2", ["KEY"] = "k-1", ["DSN"] = "Host=db;Password=hunter2", ["NAME"] = "first" };

    private const string Text = """
        run.name = ${NAME}
        journal { connection-string = "Host=db;Username=u", password = ${?DB_PASSWORD}, token = null, secret = "" }
        judges { "a.b" { api-key = ${KEY} } }
        akka.db = ${DSN}
        mask-token = "[M]"
        """;

    [Fact]
    public void Stored_tree_must_hold_no_secret_and_its_lines_must_bring_them_back()
    {
        var root = Texts.Parse(Text, Variables);
        var stored = StoredConfig.Of(root);
        Assert.Equal(
            """{"akka":{"db":null},"journal":{"connection-string":"Host=db;Username=u","password":null,"secret":"","token":null},"judges":{"a.b":{"api-key":null}},"mask-token":"[M]","run":{"name":"first"}}""",
            CanonicalJson.Write(stored.Tree));
        Assert.Equal(["journal.password = ${?DB_PASSWORD}", "judges.\"a.b\".api-key = ${?KEY}", "akka.db = ${?DSN}"], stored.Variables);
        var files = new Dictionary<string, string> { ["stored.json"] = CanonicalJson.Write(stored.Tree), ["secrets.conf"] = string.Join('\n', stored.Variables) };
        Assert.True(Hocon.Load(["stored.json", "secrets.conf"], [], Texts.Options(files, Variables)).SameValueAs(root));
        Assert.Equal("null", CanonicalJson.Write(Hocon.Load(["stored.json", "secrets.conf"], [], Texts.Options(files)).Find("journal", "password")!));
    }

    [Theory]
    [InlineData("password = hunter2", "t.conf:1:12  password is a secret that is written out")]
    [InlineData("password = x${DB_PASSWORD}", "t.conf:1:12  password is a secret that is written out")]
    [InlineData("secrets { deep = [hunter2] }", "t.conf:1:19  secrets.deep[0] is a secret that is written out")]
    [InlineData("dsn = \"Host=db;Password=hunter2\"", "t.conf:1:7  dsn is a secret that is written out")]
    public void Secret_that_is_written_out_must_be_refused_without_repeating_it(string text, string start)
    {
        var error = Assert.Throws<ConfigException>(() => StoredConfig.Of(Texts.Parse(text, Variables))).Message;
        Assert.StartsWith(start, error, StringComparison.Ordinal);
        Assert.Contains("= ${?NAME}", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }
}
