namespace Lateral.Configuration.Tests;

/// <summary>One row per construct of the public specification: text, environment NAME=value pairs, canonical JSON.</summary>
public sealed class SpecificationTests
{
    [Theory]
    [InlineData("a = 1\nb : two\nc { d = 3 }", """{"a":1,"b":"two","c":{"d":3}}""")]
    [InlineData("{ \"a\" : [1, 2.5, -3e+4, true, null, \"x\"] }", """{"a":[1,2.5,-3e+4,true,null,"x"]}""")]
    [InlineData("a.b.c = 1\na.b.d = 2", """{"a":{"b":{"c":1,"d":2}}}""")]
    [InlineData("base { p = 1 }\na = ${base} { q = 2 }", """{"a":{"p":1,"q":2},"base":{"p":1}}""")]
    [InlineData("a = [1]\na = ${a} [2]\na += 3", """{"a":[1,2,3]}""")]
    [InlineData("path = /bin\npath = ${path}\":/usr/bin\"", """{"path":"/bin:/usr/bin"}""")]
    [InlineData("bar : { foo : 42, baz : ${bar.foo} }\nbar : { foo : 43 }", """{"bar":{"baz":43,"foo":43}}""")]
    [InlineData("port = 4053\nport = ${?UNSET}", """{"port":4053}""")]
    public void Text_must_mean_what_the_specification_says(string text, string json) =>
        Assert.Equal(json, CanonicalJson.Write(Hocon.ParseText(text, "t.conf", new HoconOptions { Environment = _ => null })));

    [Fact]
    public void Reader_must_report_everything_at_once()
    {
        var errors = new List<ConfigError>();
        var root = new ConfigReader(Hocon.ParseText("rollout { gruops = 3\n timeout = 30\n n = two }", "run.conf"), errors);
        var rollout = root.Section("rollout");
        rollout.Int("groups", 1);
        rollout.Duration("timeout");
        rollout.Int("n", 0);
        root.CheckUnknown();
        Assert.Equal(
            """
            run.conf:1:9  rollout.groups is missing - it must be a whole number >= 1 - write groups = 1
            run.conf:2:12  rollout.timeout must be a duration with its unit (ms, s, m, h, d), got 30 - a bare number has no unit - write 30s or 30ms
            run.conf:3:6  rollout.n must be a whole number >= 0, got "two" - write n = 1
            run.conf:1:11  unknown key rollout.gruops - did you mean rollout.groups?
            """, string.Join('\n', errors));
    }
}
