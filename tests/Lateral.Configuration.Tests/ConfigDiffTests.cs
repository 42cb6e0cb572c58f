namespace Lateral.Configuration.Tests;

public sealed class ConfigDiffTests
{
    [Theory]
    [InlineData("a = 1", "a = 1", "")]
    [InlineData("a = 1", "a = 2", "changed a 1 2")]
    [InlineData("a { b = 1, c = x }", "a { c = y, b = 1 }", "changed a.c \"x\" \"y\"")]
    [InlineData("a = 1", "b = 1", "removed a 1 -;added b - 1")]
    [InlineData("a {}", "a { b { c = 1, d = 2 } }", "added a.b.c - 1;added a.b.d - 2")]
    [InlineData("a { b = 1 }", "a = null", "changed a {\"b\":1} null")]
    [InlineData("devices { cpu {} }", "devices { \"cuda:0\" {} }", "removed devices.cpu {} -;added devices.\"cuda:0\" - {}")]
    [InlineData("l = [1, 2]", "l = [1, 3]", "changed l [1,2] [1,3]")]
    [InlineData("lr = 1e-4", "lr = 0.0001", "")]
    [InlineData("n = 1.0", "n = 1", "")]
    [InlineData("seed = 1152921504606846976", "seed = 1152921504606846977", "changed seed 1152921504606846976 1152921504606846977")]
    [InlineData("tiny = 1e-30", "tiny = 2e-30", "changed tiny 1e-30 2e-30")]
    [InlineData("n = 5", "n = \"5\"", "changed n 5 \"5\"")]
    public void Changes_must_be_the_leaves_that_differ(string before, string after, string changes) => Assert.Equal(
        changes,
        string.Join(';', ConfigDiff.Between(Texts.Parse(before), Texts.Parse(after)).Select(change => $"{change.Kind} {change.Path} {Text(change.Before)} {Text(change.After)}")));

    private static string Text(ConfigValue? value) => value is null ? "-" : CanonicalJson.Write(value);
}
