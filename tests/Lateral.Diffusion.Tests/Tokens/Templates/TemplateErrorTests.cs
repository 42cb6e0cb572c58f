using System.Text.Json.Nodes;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>What a mistake is told as: the place, what is wrong, and where it helps what to do instead.</summary>
public class TemplateErrorTests
{
    private static readonly JsonObject Variables = JsonNode.Parse("""{"x": 3, "s": "text", "xs": [1, 2], "d": {"a": 1}, "nothing": null}""")!.AsObject();

    private static TemplateException Refusal(string template, bool rendering)
    {
        if (!rendering) return Assert.Throws<TemplateException>(() => Template.Parse(template));
        var parsed = Template.Parse(template);
        return Assert.Throws<TemplateException>(() => parsed.Render(GoldenTemplates.Values(Variables)));
    }

    [Theory]
    [InlineData("a\n  {{ x", "line 2, column 3: the tag has no end; close it with '}}'")]
    [InlineData("a {% if x", "line 1, column 3: the tag has no end; close it with '%}'")]
    [InlineData("{{ (x }}", "line 1, column 7: '}' closes nothing that is open here")]
    [InlineData("{{ (x", "line 1, column 1: the tag has no end: ')' is missing")]
    [InlineData("\n\n{# never", "line 3, column 1: the comment has no end; close it with '#}'")]
    [InlineData("{% raw %} {{ x }}", "line 1, column 1: 'raw' has no end; close it with '{% endraw %}'")]
    [InlineData("{{ 'abc }}", "line 1, column 4: the string has no end; close it with '")]
    [InlineData("{{ 'a\\xzz' }}", "line 1, column 6: \\x needs the 2 hexadecimal digits of a character")]
    [InlineData("{{ '\\N{DASH}' }}", "line 1, column 5: characters by name (\\N{...}) are not implemented; write the character or its number (\\u...)")]
    [InlineData("{{ x ? 1 }}", "line 1, column 6: the character '?' means nothing in a tag")]
    [InlineData("{{ 99999999999999999999 }}", "line 1, column 4: 99999999999999999999 does not fit into 64 bits")]
    [InlineData("{{ 0x10 }}", "line 1, column 4: only decimal numbers are implemented")]
    [InlineData("{% if x %}\n{% for i in xs %}\n{% endif %}", "line 3, column 4: 'endif' belongs to nothing that is open here")]
    [InlineData("{% if x %}\nb", "line 1, column 4: 'if' has no end; close it with '{% endif %}'")]
    [InlineData("{% for i in xs %}{% else %}", "line 1, column 4: 'for' has no end; close it with '{% endfor %}'")]
    [InlineData("{% include 'other' %}", "line 1, column 4: the tag 'include' is not implemented; if, for, set, macro, break, continue, generation and raw are")]
    [InlineData("{% for i in xs recursive %}{% endfor %}", "line 1, column 16: recursive loops are not implemented; call a macro that calls itself")]
    [InlineData("{% break %}", "line 1, column 4: 'break' stands in no loop")]
    [InlineData("{% for i in xs %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}", "line 1, column 36: 'continue' stands in no loop")]
    [InlineData("{% for loop in xs %}{% endfor %}", "line 1, column 8: 'loop' cannot be an element's name: it is the loop itself")]
    [InlineData("{% set true = 1 %}", "line 1, column 8: 'true' cannot be a name: it has a meaning of its own")]
    [InlineData("{% set x.y.z = 1 %}", "line 1, column 11: '%}' is due here, and not '.'")]
    [InlineData("{{ x y }}", "line 1, column 6: '}}' is due here, and not 'y'")]
    [InlineData("{{ 1 + }}", "line 1, column 8: an expression is due here, and not '}}'")]
    [InlineData("{{ xs[1, 2] }}", "line 1, column 8: several keys in one pair of brackets are not implemented")]
    [InlineData("{{ f(*xs) }}", "line 1, column 6: arguments by '*' are not implemented; write them one by one")]
    [InlineData("{{ f(a=1, 2) }}", "line 1, column 11: an argument without a name stands behind one with a name")]
    [InlineData("{{ f(a=1, a=2) }}", "line 1, column 11: the argument 'a' is given twice")]
    [InlineData("{% macro m(a, a) %}{% endmacro %}", "line 1, column 15: the macro has two parameters 'a'")]
    [InlineData("{% macro m(a=1, b) %}{% endmacro %}", "line 1, column 17: the parameter 'b' needs a default, as those before it have one")]
    [InlineData("{{ s | escape }}", "line 1, column 8: the filter 'escape' writes HTML, which no model was trained with, and is not implemented")]
    [InlineData("{{ s | trim('a', 'b') }}", "line 1, column 8: the filter 'trim' takes chars; 2 were given")]
    [InlineData("{{ s | trim(letters='a') }}", "line 1, column 8: the filter 'trim' takes chars, and no 'letters'")]
    [InlineData("{{ s | replace('a') }}", "line 1, column 8: the filter 'replace' needs 'new'")]
    [InlineData("{{ x is divisibleby }}", "line 1, column 9: the test 'divisibleby' needs 'num'")]
    [InlineData("{{ x is defined is true }}", "line 1, column 17: a test behind a test is not implemented; use 'and'")]
    public void Text_that_is_no_template_must_be_refused_with_its_place(string template, string expected) => Assert.Equal(expected, Refusal(template, rendering: false).Message);

    [Theory]
    [InlineData("{{ s | wordwrap(3) }}", "line 1, column 8: the filter 'wordwrap' is not implemented; there are capitalize, count, d, default, dictsort, first, float, indent, int, items, join, last, length, list, lower, map, ")]
    [InlineData("{{ xs | map('center') }}", "line 1, column 13: the filter 'center' is not implemented; ")]
    [InlineData("{{ x is sameas 3 }}", "line 1, column 9: the test 'sameas' is not implemented; there are boolean, callable, defined, ")]
    [InlineData("{{ xs | select('escaped') }}", "line 1, column 16: the test 'escaped' is not implemented; ")]
    [InlineData("{{ xs | selectattr('a', 'escaped') }}", "line 1, column 25: the test 'escaped' is not implemented; ")]
    public void What_is_not_implemented_must_be_refused_before_anything_is_rendered(string template, string expected) => Assert.StartsWith(expected, Refusal(template, rendering: false).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a\nb {{ missing.role }}", "line 2, column 13: 'missing' is undefined, and so it has no 'role'")]
    [InlineData("{{ d.zz.role }}", "line 1, column 8: a dictionary has no 'zz', and so it has no 'role'")]
    [InlineData("{{ d['zz']['role'] }}", "line 1, column 11: a dictionary has no 'zz', and so nothing is in it")]
    [InlineData("{{ nothing.split('a') }}", "line 1, column 17: none has no 'split', and so it cannot be called")]
    [InlineData("{{ missing | tojson }}", "line 1, column 14: 'missing' is undefined, and so it has no JSON")]
    [InlineData("{{ 1 + missing }}", "line 1, column 6: 'missing' is undefined")]
    [InlineData("{{ s + 1 }}", "line 1, column 6: '+' does not go with a text and an integer")]
    [InlineData("{{ s < 1 }}", "line 1, column 6: '<' does not go with a text and an integer")]
    [InlineData("{{ '%s' % x }}", "line 1, column 9: formatting with '%' is not implemented; use '~'")]
    [InlineData("{{ 1 // 0 }}", "line 1, column 6: division by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "line 1, column 24: 9223372036854775807 + 1 does not fit into 64 bits")]
    [InlineData("{{ x() }}", "line 1, column 5: an integer cannot be called")]
    [InlineData("{{ s.format(1) }}", "line 1, column 5: a text's method 'format' is not implemented")]
    [InlineData("{{ xs.append(1) }}", "line 1, column 6: a list's method 'append' is not implemented: values do not change; add lists with '+', or set a namespace's field")]
    [InlineData("{{ d.pop('a') }}", "line 1, column 5: a dictionary's method 'pop' is not implemented; where a key is meant, write ['pop']")]
    [InlineData("{{ s.__class__ }}", "line 1, column 5: '__class__' is one of Python's own names, which are not implemented")]
    [InlineData("{{ s.split(1) }}", "line 1, column 11: a text's split needs a text as 'sep' and was given an integer")]
    [InlineData("{{ s.split(',', 1, 2) }}", "line 1, column 11: a text's split takes sep, maxsplit; 3 were given")]
    [InlineData("{{ xs | map('upper') | length }}", "line 1, column 24: a one-time sequence (make it a list with '| list') has no length")]
    [InlineData("{{ range(3) }}", "line 1, column 1: a range cannot be written as text")]
    [InlineData("{{ namespace(a=1) }}", "line 1, column 1: a namespace cannot be written as text")]
    [InlineData("{{ range(10 ** 9) }}", "line 1, column 9: a range has at most 100000 numbers, and not 1000000000")]
    [InlineData("{{ cycler('a') }}", "line 1, column 4: 'cycler' is not implemented")]
    [InlineData("{% set x.y = 1 %}", "line 1, column 8: 'x' is no namespace, and so 'y' of it cannot be set; make one with namespace()")]
    [InlineData("{% set a, b = [1] %}", "line 1, column 8: 2 names are to be set, and there are 1 values")]
    [InlineData("{% for i in x %}{% endfor %}", "line 1, column 13: an integer has no elements")]
    [InlineData("{% macro m(a) %}{% endmacro %}\n{{ m(1, 2) }}", "line 2, column 5: the macro 'm' takes 1 arguments; 2 were given")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "line 1, column 35: the macro 'm' has no parameter 'b'")]
    [InlineData("{{ raise_exception('roles must alternate') }}", "line 1, column 19: the template refuses the conversation: roles must alternate")]
    [InlineData("{{ strftime_now('%Y') }}", "line 1, column 16: the template asks for the date, and no clock was given to read it from")]
    [InlineData("{{ [1, 'a'] | sort }}", "line 1, column 15: an integer and a text have no order to sort them by")]
    [InlineData("{{ {[]: 1} }}", "line 1, column 4: a list cannot be a key; texts, numbers, booleans and none can")]
    public void What_a_value_cannot_do_must_be_told_with_its_place(string template, string expected) => Assert.Equal(expected, Refusal(template, rendering: true).Message);

    [Fact]
    public void Place_must_be_told_as_numbers_too()
    {
        var refusal = Refusal("a\r\nb\r\n  {{ missing.role }}", rendering: true);
        Assert.Equal((3, 13), (refusal.Line, refusal.Column));
    }
}
