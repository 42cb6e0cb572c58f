namespace Lateral.Configuration.Tests;

public sealed class UnitTests
{
    [Theory]
    [InlineData("100ns", 1)]
    [InlineData("1 us", 10)]
    [InlineData("3 micros", 30)]
    [InlineData("250ms", 2_500_000)]
    [InlineData("1.5 s", 15_000_000)]
    [InlineData("1e1seconds", 100_000_000)]
    [InlineData("-2s", -20_000_000)]
    [InlineData("1m", 600_000_000)]
    [InlineData("2 hours", 72_000_000_000)]
    [InlineData("1 day", 864_000_000_000)]
    public void Duration_must_be_exact(string text, long ticks)
    {
        Assert.True(Units.TryDuration(text, out var duration));
        Assert.Equal(ticks, duration.Ticks);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("")]
    [InlineData("10 fortnights")]
    [InlineData("10 S")]
    [InlineData("1 2s")]
    [InlineData("1e400s")]
    [InlineData("99999999999999d")]
    public void Duration_must_be_refused(string text) => Assert.False(Units.TryDuration(text, out _));

    [Theory]
    [InlineData("512", 512)]
    [InlineData("1 b", 1)]
    [InlineData("1kB", 1_000)]
    [InlineData("1 K", 1_024)]
    [InlineData("1k", 1_024)]
    [InlineData("2 KiB", 2_048)]
    [InlineData("1.5 MiB", 1_572_864)]
    [InlineData("4 megabytes", 4_000_000)]
    [InlineData("4 mebibytes", 4_194_304)]
    [InlineData("3g", 3_221_225_472)]
    [InlineData("1 TB", 1_000_000_000_000)]
    [InlineData("1 Pi", 1_125_899_906_842_624)]
    [InlineData("1 exabyte", 1_000_000_000_000_000_000)]
    public void Size_must_be_exact(string text, long bytes)
    {
        Assert.True(Units.TrySize(text, out var size));
        Assert.Equal(bytes, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("1 mb")]
    [InlineData("1 KB")]
    [InlineData("1 MBit")]
    [InlineData("9999 EB")]
    public void Size_must_be_refused(string text) => Assert.False(Units.TrySize(text, out _));

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("gruops", "groups", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("CA", "abc", 3)]
    [InlineData("Weight", "weight", 0)]
    public void Distance_must_count_edits(string a, string b, int edits)
    {
        Assert.Equal(edits, Suggestions.Distance(a, b));
        Assert.Equal(edits, Suggestions.Distance(b, a));
    }

    [Fact]
    public void Suggestion_must_be_near_or_absent()
    {
        Assert.Equal("temperature", Suggestions.Closest("temprature", ["steps", "temperature", "template"]));
        Assert.Equal("lr", Suggestions.Closest("lt", ["lr", "dtype"]));
        Assert.Null(Suggestions.Closest("b", ["a", "c"]));
        Assert.Null(Suggestions.Closest("optimizer", ["sampler", "learner"]));
    }
}
