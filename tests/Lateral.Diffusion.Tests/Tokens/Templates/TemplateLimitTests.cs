using System.Diagnostics;
using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>No template hangs, overflows the stack or takes memory without bound.</summary>
public class TemplateLimitTests
{
    private static readonly TemplateLimits Small = new(Length: 100_000, Nesting: 50, Depth: 500, Steps: 100_000, Characters: 1_000_000);

    private static string Repeated(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static string Refusal(string template, TemplateLimits? limits = null) =>
        Assert.Throws<TemplateException>(() => Template.Parse(template, limits ?? Small).Render(GoldenTemplates.Values(new JsonObject { ["s"] = new string('a', 1000) }))).Message;

    [Theory]
    [InlineData("{{ 'x' * 10 ** 9 }}", "line 1, column 8: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{{ 'x' * 9223372036854775807 }}", "line 1, column 8: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{{ [1] * 10 ** 15 }}", "line 1, column 8: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}", "line 1, column 44: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% for i in range(5000) %}{{ s }}{% endfor %}", "line 1, column 27: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{% set n = namespace(t='ab') %}{% for i in range(64) %}{% set n.t = n.t ~ n.t %}{% endfor %}", "line 1, column 73: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{% set n = namespace(t='ab') %}{% for i in range(64) %}{% set n.t = n.t.replace('', n.t) %}{% endfor %}", "line 1, column 80: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{% set n = namespace(t='ab') %}{% for i in range(64) %}{% set n.t = n.t.join([n.t, n.t]) %}{% endfor %}", "line 1, column 77: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{% set n = namespace(t=[1]) %}{% for i in range(64) %}{% set n.t = n.t + n.t %}{% endfor %}", "line 1, column 72: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% set n = namespace(t=[1]) %}{% for i in range(64) %}{% set n.t = [n.t] %}{% endfor %}", "line 1, column 68: a value is nested deeper than 50, which is the limit")]
    [InlineData("{% set n = namespace(t={}) %}{% for i in range(64) %}{% set n.t = {'a': n.t} %}{% endfor %}", "line 1, column 67: a value is nested deeper than 50, which is the limit")]
    [InlineData("{% set n = namespace(t=[1]) %}{% for i in range(40) %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ n.t }}", "line 1, column 93: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% set n = namespace(t=[1]) %}{% for i in range(40) %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ n.t | tojson }}", "line 1, column 102: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% set n = namespace(t=[1], u=[1]) %}{% for i in range(40) %}{% set n.t = [n.t, n.t] %}{% set n.u = [n.u, n.u] %}{% endfor %}{{ n.t == n.u }}", "line 1, column 133: rendering takes more than 100000 steps, which is the limit")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "line 1, column 19: evaluation is nested deeper than 500, which is the limit; a macro that calls itself without end does that")]
    [InlineData("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", "line 1, column 19: evaluation is nested deeper than 500, which is the limit; a macro that calls itself without end does that")]
    [InlineData("{% set x = s * 500 %}{{ x.count(s * 250) }}", "line 1, column 32: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{{ s | indent(10 ** 9) }}{{ ('\\n' * 9000) | indent(10 ** 9, blank=true) }}", "line 1, column 45: rendering makes and reads more than 1000000 characters, which is the limit")]
    [InlineData("{{ [[[[range(99) | list] * 99] * 9] * 99] | tojson(indent=10 ** 9) }}", "line 1, column 45: rendering makes and reads more than 1000000 characters, which is the limit")]
    public void Use_beyond_a_limit_must_be_refused_with_its_place(string template, string expected) => Assert.Equal(expected, Refusal(template));

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("[", "1", "]")]
    [InlineData("{1:", "1", "}")]
    [InlineData("not ", "1", "")]
    [InlineData("-", "1", "")]
    [InlineData("f(", "1", ")")]
    [InlineData("x[", "1", "]")]
    [InlineData("1 if 1 else ", "1", "")]
    [InlineData("1 is eq [", "1", "]")]
    public void Deep_expressions_must_be_refused_and_overflow_no_stack(string open, string inner, string close)
    {
        var refusal = Assert.Throws<TemplateException>(() => Template.Parse("{{ " + Repeated(open, 5000) + inner + Repeated(close, 5000) + " }}", Small));
        Assert.Contains("the template is nested deeper than 50", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(Template.Parse("{{ " + Repeated(open, 15) + inner + Repeated(close, 15) + " }}", Small));
    }

    [Fact]
    public void Deep_tags_must_be_refused_and_overflow_no_stack()
    {
        Assert.Contains("nested deeper than 50", Refusal(Repeated("{% if 1 %}", 4000) + Repeated("{% endif %}", 4000)), StringComparison.Ordinal);
        Assert.Contains("nested deeper than 50", Refusal("{% for " + Repeated("(", 5000) + "a" + Repeated(")", 5000) + " in s %}{% endfor %}"), StringComparison.Ordinal);
    }

    /// <summary>A chain does not nest in the source, but it does where it is evaluated.</summary>
    [Theory]
    [InlineData("1", " + 1")]
    [InlineData("1", " and 1")]
    [InlineData("'a'", " | trim")]
    [InlineData("s", ".strip()")]
    [InlineData("s", "[0]")]
    public void Long_chains_must_be_refused_and_overflow_no_stack(string first, string more)
    {
        Assert.Contains("evaluation is nested deeper than 500", Refusal("{{ " + first + Repeated(more, 8000) + " }}"), StringComparison.Ordinal);
        Assert.Equal(1, Template.Parse("{{ " + first + more + " }}", Small).Render(GoldenTemplates.Values(new JsonObject { ["s"] = "a" })).Length);
    }

    [Fact]
    public void Filters_that_apply_filters_must_be_counted_as_depth()
    {
        var template = "{{ 'a' | map(" + string.Join(", ", Enumerable.Repeat("'map'", 200)) + ", 'upper') | list }}";
        Assert.Contains("evaluation is nested deeper than 100", Refusal(template, Small with { Depth = 100 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Template_that_is_too_long_must_be_refused() =>
        Assert.Equal("the template has 100001 characters; at most 100000 are read", Refusal(new string('a', 100_001)));

    /// <summary>The default limits are used up in seconds, and within a fixed amount of memory.</summary>
    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{{ i ~ j }}{% endfor %}{% endfor %}")]
    [InlineData("{% set n = namespace(t='ab') %}{% for i in range(64) %}{% set n.t = n.t + n.t %}{% endfor %}")]
    [InlineData("{% set n = namespace(t=[]) %}{% for i in range(100000) %}{% set n.t = n.t + [i] %}{% endfor %}")]
    [InlineData("{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{{ 'aab' in t }}{% endfor %}")]
    [InlineData("{% set t = 'a' * 1000000 %}{{ t.find('a' * 400000 + 'b' + 'a' * 400000) }}{{ 'z' * 100000000 }}")]
    public void Default_limits_must_end_any_template_soon(string template)
    {
        var parsed = Template.Parse(template);
        var (clock, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        Assert.EndsWith(", which is the limit", Assert.Throws<TemplateException>(() => parsed.Render([])).Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L << 30);
    }

    /// <summary>What takes long without making anything: each is asked for 10,000 times, of a million characters or 100,000 elements.</summary>
    [Theory]
    [InlineData("t[0]")]
    [InlineData("t[::-1]")]
    [InlineData("t | length")]
    [InlineData("t | int")]
    [InlineData("t | float")]
    [InlineData("t | trim")]
    [InlineData("t.strip(t)")]
    [InlineData("t.startswith(t)")]
    [InlineData("t.isdigit()")]
    [InlineData("t.find('b')")]
    [InlineData("t.count('')")]
    [InlineData("t.replace('b', '')")]
    [InlineData("t.split('b')")]
    [InlineData("t == u")]
    [InlineData("t < u")]
    [InlineData("'b' in t")]
    [InlineData("{}[t]")]
    [InlineData("{}.get(t)")]
    [InlineData("t in {'a': 1}")]
    [InlineData("{t: 1}")]
    [InlineData("t | tojson")]
    [InlineData("[t] | unique(case_sensitive=true) | list")]
    [InlineData("[1] | map(attribute=t) | list")]
    [InlineData("a == b")]
    [InlineData("a < b")]
    [InlineData("a is eq b")]
    [InlineData("1 in a")]
    [InlineData("a.count(1)")]
    [InlineData("a | select | list")]
    [InlineData("a | reject('none') | first")]
    [InlineData("a | unique | list")]
    [InlineData("a | sort | first")]
    [InlineData("a | reverse | first")]
    [InlineData("a | join")]
    [InlineData("a[1:]")]
    [InlineData("a + a")]
    [InlineData("a | string")]
    [InlineData("dict([('k', a)]).items() | list | tojson")]
    public void Work_must_be_counted_even_where_nothing_is_made(string expression)
    {
        var template = Template.Parse($"{{% set a = [0] * 100000 %}}{{% set b = a + [] %}}{{% set t = 'a' * 1000000 %}}{{% set u = t ~ '' %}}{{% for i in range(10000) %}}{{% set q = {expression} %}}{{% endfor %}}", TemplateLimits.Default with { Steps = 1_500_000, Characters = 13_000_000 });
        var clock = Stopwatch.StartNew();
        Assert.EndsWith(", which is the limit", Assert.Throws<TemplateException>(() => template.Render([])).Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Long_conversation_must_stay_far_below_the_default_limits()
    {
        var template = Template.Parse(GoldenTemplates.ChatTemplates["thinking"]);
        var messages = new JsonArray([.. Enumerable.Range(0, 2000).Select(turn => new JsonObject { ["role"] = turn % 2 == 0 ? "user" : "assistant", ["content"] = new string('a', 500) })]);
        Assert.InRange(template.Render(GoldenTemplates.Values(new JsonObject { ["messages"] = messages })).Length, 1_000_000, 1_200_000);
    }
}
