#pragma warning disable xUnit1026 // the rule is the row's name
namespace Lateral.Configuration.Tests.Rules;

/// <summary>
/// The specification's sections "Conversion of numerically-indexed objects" and "API recommendations". Departures: a bare
/// number is no duration (nobody who writes <c>timeout = 30</c> means milliseconds), and calendar periods are not read.
/// </summary>
public sealed class ConversionRules
{
    [Theory]
    [InlineData("keys are sorted by their number", "{ 10 = c, 2 = b, 0 = a }", "a b c")]
    [InlineData("missing indices are closed up", "{ 0 = a, 7 = b }", "a b")]
    [InlineData("other keys are left out", "{ 0 = a, x = b, -1 = c, \"1.5\" = d }", "a")]
    public void Numbered_object_must_serve_as_a_list(string rule, string value, string items)
    {
        var errors = new List<ConfigError>();
        Assert.Equal(items, string.Join(' ', new ConfigReader(Texts.Parse($"l = {value}"), errors).StringList("l")));
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("it stays an object until a list is wanted", "a { 0 = x }", """{"a":{"0":"x"}}""")]
    [InlineData("a list is wanted where it joins one", "o { 1 = b, 0 = a }\na = [z] ${o}", """{"a":["z","a","b"],"o":{"0":"a","1":"b"}}""")]
    [InlineData("two of them merge as objects", "a = { 0 = x } { 1 = y }", """{"a":{"0":"x","1":"y"}}""")]
    [InlineData("+= appends to it", "a { 0 = x }\na += y", """{"a":["x","y"]}""")]
    [InlineData("an empty object is no list", "a = [1] {}", "!t.conf:1:5")]
    [InlineData("an object without numbers is no list", "a = [1] { x = 1 }", "!t.conf:1:5")]
    public void Numbered_object_must_be_converted_only_where_a_list_is_wanted(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("numbers and booleans as text", "s { k = 1.50 }", "1.50")]
    [InlineData("numbers and booleans as text", "s { k = true }", "true")]
    public void Text_must_be_taken_as_written(string rule, string text, string expected)
    {
        var errors = new List<ConfigError>();
        Assert.Equal(expected, new ConfigReader(Texts.Parse(text), errors).Section("s").String("k"));
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("true", true), InlineData("yes", true), InlineData("on", true), InlineData("\"true\"", true)]
    [InlineData("false", false), InlineData("no", false), InlineData("off", false), InlineData("\"off\"", false)]
    public void Six_words_must_be_switches(string word, bool value)
    {
        var errors = new List<ConfigError>();
        Assert.Equal(value, new ConfigReader(Texts.Parse($"k = {word}"), errors).Bool("k"));
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("null to anything", "k = null"), InlineData("object to anything", "k {}"), InlineData("list to anything", "k = [1]"), InlineData("a seventh word", "k = enabled"), InlineData("a number", "k = 1")]
    public void Switch_must_refuse(string rule, string text)
    {
        var errors = new List<ConfigError>();
        _ = new ConfigReader(Texts.Parse(text), errors).Bool("k");
        Assert.StartsWith("k must be on or off, got ", Assert.Single(errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Number_in_quotes_must_be_a_number()
    {
        var errors = new List<ConfigError>();
        Assert.Equal(12, new ConfigReader(Texts.Parse("k = \"12\""), errors).Int("k"));
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData(1, "ns nano nanos nanosecond nanoseconds")]
    [InlineData(1_000, "us micro micros microsecond microseconds")]
    [InlineData(1_000_000, "ms milli millis millisecond milliseconds")]
    [InlineData(1_000_000_000, "s second seconds")]
    [InlineData(60_000_000_000, "m minute minutes")]
    [InlineData(3_600_000_000_000, "h hour hours")]
    [InlineData(86_400_000_000_000, "d day days")]
    public void Duration_must_know_exactly_these_units(long nanoseconds, string names)
    {
        foreach (var name in names.Split(' '))
        {
            foreach (var text in new[] { $"200{name}", $"200 {name}", $"  2e2  {name} ", $"200.0\u00A0{name}" })
            {
                Assert.True(Units.TryDuration(text, out var duration), text);
                Assert.Equal(nanoseconds * 2, duration.Ticks);
            }

            Assert.False(Units.TryDuration($"200 {name.ToUpperInvariant()}", out _));
        }
    }

    [Theory]
    [InlineData("B b byte bytes", 1d)]
    [InlineData("kB kilobyte kilobytes", 1e3), InlineData("K k Ki KiB kibibyte kibibytes", 1024d)]
    [InlineData("MB megabyte megabytes", 1e6), InlineData("M m Mi MiB mebibyte mebibytes", 1048576d)]
    [InlineData("GB gigabyte gigabytes", 1e9), InlineData("G g Gi GiB gibibyte gibibytes", 1073741824d)]
    [InlineData("TB terabyte terabytes", 1e12), InlineData("T t Ti TiB tebibyte tebibytes", 1099511627776d)]
    [InlineData("PB petabyte petabytes", 1e15), InlineData("P p Pi PiB pebibyte pebibytes", 1125899906842624d)]
    [InlineData("EB exabyte exabytes", 1e18), InlineData("E e Ei EiB exbibyte exbibytes", 1152921504606846976d)]
    [InlineData("ZB zettabyte zettabytes", 1e21), InlineData("Z z Zi ZiB zebibyte zebibytes", 1180591620717411303424d)]
    [InlineData("YB yottabyte yottabytes", 1e24), InlineData("Y y Yi YiB yobibyte yobibytes", 1208925819614629174706176d)]
    public void Size_must_know_exactly_these_units(string names, double factor)
    {
        // 2^-20 of a unit, so that the huge ones fit 64 bits and the powers of two stay whole.
        var share = factor > 1e18 ? 9.5367431640625e-7 : 1;
        foreach (var name in names.Split(' '))
        {
            Assert.True(Units.TrySize($"{share:R} {name}", out var bytes), name);
            Assert.Equal(Math.Round(share * factor), bytes);
        }
    }

    [Theory]
    [InlineData("KB"), InlineData("kb"), InlineData("mb"), InlineData("kib"), InlineData("Kilobytes"), InlineData("bits"), InlineData("1")]
    public void Size_must_refuse_other_units(string unit) => Assert.False(Units.TrySize($"1 {unit}", out _));

    [Fact]
    public void Bare_size_must_be_bytes() => Assert.True(Units.TrySize(" 512 ", out var bytes) && bytes == 512);
}
