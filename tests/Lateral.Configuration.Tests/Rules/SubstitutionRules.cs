#pragma warning disable xUnit1026 // the rule is the row's name
namespace Lateral.Configuration.Tests.Rules;

/// <summary>The specification's section "Substitutions".</summary>
public sealed class SubstitutionRules
{
    [Theory]
    [InlineData("the question mark stands right after the brace", "a = ${ ?b}", "!t.conf:1:8")]
    [InlineData("the path is trimmed and may be quoted", "x.\"y z\" = 1\na = ${ x.\"y z\" }", """{"a":1,"x":{"y z":1}}""")]
    [InlineData("quotes keep it from being one", "a = \"${b}\"", """{"a":"${b}"}""")]
    [InlineData("a dollar sign alone is reserved", "a = $b", "!t.conf:1:5")]
    [InlineData("one cannot stand in another", "a = ${b.${c}}", "!t.conf:1:9")]
    [InlineData("the path is absolute", "a { b = 1, c = ${b} }", "!t.conf:1:16")]
    [InlineData("it looks forward", "a = ${b}\nb = ${c}\nc = 1", """{"a":1,"b":1,"c":1}""")]
    [InlineData("it sees the latest value", "b = 1\na = ${b}\nb = 2", """{"a":2,"b":2}""")]
    [InlineData("it sees the merged object", "b { x = 1 }\na = ${b}\nb { y = 2 }", """{"a":{"x":1,"y":2},"b":{"x":1,"y":2}}""")]
    [InlineData("any type is substituted", "n = 1, s = x, t = true, z = null, l = [1], o {}\na = [${n}, ${s}, ${t}, ${z}, ${l}, ${o}]", """{"a":[1,"x",true,null,[1],{}],"l":[1],"n":1,"o":{},"s":"x","t":true,"z":null}""")]
    [InlineData("undefined is an error", "a = ${b}", "!t.conf:1:5")]
    [InlineData("a path through a value is undefined", "b = 1\na = ${b.c}", "!t.conf:2:5")]
    public void Substitution_must_look_up_its_path(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("the field is not created", "a = ${?b}\nc = 1", """{"c":1}""")]
    [InlineData("an earlier value remains", "a = 1\na = ${?b}", """{"a":1}""")]
    [InlineData("an earlier object remains", "a { x = 1 }\na = ${?b}\na { y = 2 }", """{"a":{"x":1,"y":2}}""")]
    [InlineData("the item is not added", "a = [${?b}]\nc = [1, ${?b}\n2]", """{"a":[],"c":[1,2]}""")]
    [InlineData("in a string it is empty", "a = x ${?b} y", """{"a":"x  y"}""")]
    [InlineData("among lists and objects it is an empty one", "a = [1] ${?b} [2]\nc = { d = 1 } ${?b}", """{"a":[1,2],"c":{"d":1}}""")]
    [InlineData("several undefined ones create nothing", "a = ${?b}${?c}\nd = ${?b} ${?c}", "{}")]
    [InlineData("one defined among several is enough", "c = 1\na = ${?b}${?c}", """{"a":1,"c":1}""")]
    [InlineData("null is defined", "b = null\na = 1\na = ${?b}", """{"a":null,"b":null}""")]
    [InlineData("a cycle is as good as missing", "a = ${?a}\nb = ${?c}\nc = ${?b}", "{}")]
    public void Optional_substitution_must_vanish_when_undefined(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("a new value may be based on the older", "path = \"a:b\"\npath = ${path}\":c\"", """{"path":"a:b:c"}""")]
    [InlineData("several times", "a = x\na = ${a}y\na = ${a}z", """{"a":"xyz"}""")]
    [InlineData("through a path expression", "foo { a { c = 1 } }\nfoo = ${foo.a}\nfoo { a = 2 }", """{"foo":{"a":2,"c":1}}""")]
    [InlineData("for a nested key", "o { l = [1] }\no.l = ${o.l} [2]", """{"o":{"l":[1,2]}}""")]
    [InlineData("with nothing below it is an error", "a = ${a}x\na = 1 ${a}", "!t.conf:1:5")]
    [InlineData("an optional one looks back to nothing", "a = ${?a}foo", """{"a":"foo"}""")]
    [InlineData("a list that holds itself is an unbreakable cycle", "a = [${a}]", "!t.conf:1:6")]
    [InlineData("an object that holds itself is an unbreakable cycle", "a { b = ${a} }", "!t.conf:1:9")]
    [InlineData("an object may refer to its own fields", "bar { foo = 42, baz = ${bar.foo} }\nbar { foo = 43 }", """{"bar":{"baz":43,"foo":43}}""")]
    [InlineData("objects may refer to each other's fields", "a { x = ${b.y}, z = 1 }\nb { y = 2, w = ${a.z} }", """{"a":{"x":2,"z":1},"b":{"w":1,"y":2}}""")]
    [InlineData("a loop of two is invalid", "a = ${b}\nb = ${a}", "!t.conf:1:5")]
    [InlineData("a loop of three is invalid", "a = ${b}\nb = ${c}\nc = ${a}", "!t.conf:1:5")]
    [InlineData("where the order is undefined both get the same value", "a = 1\nb = 2\na = ${b}\nb = ${a}", """{"a":1,"b":1}""")]
    public void Self_reference_must_look_back(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("by a later value", "a = ${nope}\na = 1", """{"a":1}""")]
    [InlineData("even when it refers to itself", "a = ${a}\na = 1", """{"a":1}""")]
    [InlineData("inside an object that a value hides", "a { b = ${nope} }\na = 1", """{"a":1}""")]
    [InlineData("field by field, where objects merge", "a { b = ${nope}, c = 1 }\na { b = 2 }", """{"a":{"b":2,"c":1}}""")]
    [InlineData("also where a substitution stands between the objects", "o { c = 3 }\na { b = ${nope} }\na = ${o}\na { b = 2 }", """{"a":{"b":2,"c":3},"o":{"c":3}}""")]
    [InlineData("also where objects are concatenated", "a = [{ b = ${nope} } { b = 2 }]", """{"a":[{"b":2}]}""")]
    [InlineData("also by an optional one that is defined", "d = 2\na = ${nope}\na = ${?d}", """{"a":2,"d":2}""")]
    [InlineData("but not by an object, which merges", "a = ${nope}\na { b = 1 }", "!t.conf:1:5")]
    [InlineData("nor by an optional one that is undefined", "a = ${nope}\na = ${?nope}", "!t.conf:1:5")]
    public void Hidden_substitution_must_not_be_evaluated(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("it appends one item", "a = [1]\na += 2", """{"a":[1,2]}""")]
    [InlineData("the list need not exist", "a += 1", """{"a":[1]}""")]
    [InlineData("a list is appended as one item", "a += [1]\na += [2]", """{"a":[[1],[2]]}""")]
    [InlineData("anything but a list before it is an error", "a = x\na += 1", "!t.conf:2:6")]
    [InlineData("null before it is an error", "a = null\na += 1", "!t.conf:2:6")]
    [InlineData("an undefined item leaves a list", "a += ${?b}\nc = [1]\nc += ${?b}", """{"a":[],"c":[1]}""")]
    [InlineData("a substituted item is one item", "l = [1, 2]\na += ${l}", """{"a":[[1,2]],"l":[1,2]}""")]
    [InlineData("it works on a path key", "a.b = [1]\na.b += 2", """{"a":{"b":[1,2]}}""")]
    [InlineData("the plus and the equals sign belong together", "a + = 1", "!t.conf:1:3")]
    public void Plus_equals_must_be_an_optional_self_reference_and_a_list(string rule, string text, string expected) => Texts.Check(text, expected);

    private static readonly Dictionary<string, string> Variables = new() { ["HOME"] = "/home/ann", ["EMPTY"] = "", ["COUNT"] = "3", ["a.b"] = "dotted", ["LIST_0"] = "x", ["LIST_1"] = "y" };

    [Theory]
    [InlineData("a name that no file defines is looked up there", "a = ${HOME}/runs", """{"a":"/home/ann/runs"}""")]
    [InlineData("what a file defines comes first", "HOME = here\na = ${HOME}", """{"HOME":"here","a":"here"}""")]
    [InlineData("null in a file blocks the look-up", "HOME = null\na = ${HOME}", """{"HOME":null,"a":null}""")]
    [InlineData("an empty variable is an empty text, not undefined", "a = 1\na = ${?EMPTY}", """{"a":""}""")]
    [InlineData("variables are always text", "a = ${COUNT}", """{"a":"3"}""")]
    [InlineData("case matters", "a = ${?home}", "{}")]
    [InlineData("a variable overrides a default that stands before it", "a = 1\na = ${?COUNT}", """{"a":"3"}""")]
    [InlineData("it ends a self-reference", "HOME = ${HOME}/x", """{"HOME":"/home/ann/x"}""")]
    [InlineData("a list comes from numbered variables", "a = [w] ${LIST[]}\nb = ${?NONE[]}", """{"a":["w","x","y"]}""")]
    public void Environment_must_be_the_fallback(string rule, string text, string expected) => Assert.Equal(expected, CanonicalJson.Write(Texts.Parse(text, Variables)));

    [Fact]
    public void Every_undefined_part_of_one_value_must_be_told() =>
        Assert.Equal(["t.conf:1:5", "t.conf:1:11", "t.conf:2:6"], Texts.Errors("a = ${x1} ${x2}\nb = [${x3}]\nc = ${a}").Split('\n').Select(line => line.Split("  ")[0]));
}
