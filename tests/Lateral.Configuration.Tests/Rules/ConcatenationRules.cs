#pragma warning disable xUnit1026 // the rule is the row's name
namespace Lateral.Configuration.Tests.Rules;

/// <summary>The specification's sections "Value concatenation" up to "Paths as keys".</summary>
public sealed class ConcatenationRules
{
    [Theory]
    [InlineData("white space between simple values is kept", "a = foo \t bar", "{\"a\":\"foo \\t bar\"}")]
    [InlineData("white space before the first and after the last is dropped", "a =  \t foo  \nb = [  x  ,  y  ]", """{"a":"foo","b":["x","y"]}""")]
    [InlineData("quoted white space at the ends is kept", "a = \" x \" \" y \"", """{"a":" x   y "}""")]
    [InlineData("it never spans a newline", "a = foo\nbar = 1", """{"a":"foo","bar":1}""")]
    [InlineData("true, false and null become their names", "a = x true\nb = false x\nc = null null", """{"a":"x true","b":"false x","c":"null null"}""")]
    [InlineData("numbers are kept as they were written", "a = v 1e5\nb = 1.50 x\nc = 007 x", """{"a":"v 1e5","b":"1.50 x","c":"007 x"}""")]
    [InlineData("quoted and unquoted strings are themselves", "a = x\"y\"z", """{"a":"xyz"}""")]
    [InlineData("a single value is never converted", "a = true\nb = 1\nc = null\nd = [true, 1, null]", """{"a":true,"b":1,"c":null,"d":[true,1,null]}""")]
    [InlineData("a quoted single value is a string", "a = \"true\"\nb = \"1\"\nc = \"\"", """{"a":"true","b":"1","c":""}""")]
    [InlineData("a substituted value takes part as its text", "n = 1e5, z = null, t = true\na = ${n}x ${z} ${t}", """{"a":"1e5x null true","n":1e5,"t":true,"z":null}""")]
    [InlineData("a lone substitution keeps its type", "n = 1e5\na = ${n}\nb = [${n}]", """{"a":1e5,"b":[1e5],"n":1e5}""")]
    [InlineData("white space around substitutions is kept between strings", "x = 1, y = 2\na = ${x}  ${y}", """{"a":"1  2","x":1,"y":2}""")]
    [InlineData("objects and lists do not join strings", "a = x { b = 1 }\n", "!t.conf:1:5")]
    [InlineData("nor does a substitution that turns out to be one", "l = [1]\na = x ${l}", "!t.conf:2:5")]
    public void Strings_must_join(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("lists join lists", "a = [1] [2, 3] []", """{"a":[1,2,3]}""")]
    [InlineData("objects merge with objects, the second on top", "a = { b = 1, c = 1 } { c = 2 }", """{"a":{"b":1,"c":2}}""")]
    [InlineData("they do not mix", "a = [1] { b = 2 }", "!t.conf:1:5")]
    [InlineData("newlines within are fine", "a = [\n1\n] [\n2\n]\nb = {\nc = 1\n} {\nd = 2\n}", """{"a":[1,2],"b":{"c":1,"d":2}}""")]
    [InlineData("a newline between prevents it: items", "a = [[1]\n[2]]\nb = [{c = 1}\n{d = 2}]", """{"a":[[1],[2]],"b":[{"c":1},{"d":2}]}""")]
    [InlineData("a newline between prevents it: fields", "a = [1]\n[2]", "!t.conf:2:1")]
    [InlineData("substitutions count as what they resolve to", "l = [1], o { x = 1 }\na = ${l} ${l} [2]\nb = ${o} { y = 2 } ${o}", """{"a":[1,1,2],"b":{"x":1,"y":2},"l":[1],"o":{"x":1}}""")]
    [InlineData("unquoted white space between them is ignored", "l = [1]\na = ${l}  \t ${l}", """{"a":[1,1],"l":[1]}""")]
    [InlineData("quoted white space between them is an error", "l = [1]\na = ${l} \" \" ${l}", "!t.conf:2:5")]
    [InlineData("inheritance", "base { size = 6 }\neast = ${base} { name = east }", """{"base":{"size":6},"east":{"name":"east","size":6}}""")]
    [InlineData("appending to a path", "path = [/bin]\npath = ${path} [/usr/bin]", """{"path":["/bin","/usr/bin"]}""")]
    [InlineData("white space is no item separator", "a = [1 2 3]", """{"a":["1 2 3"]}""")]
    [InlineData("items are concatenations too", "name = Ann\na = [my name is ${name}, [1] [2]]", """{"a":["my name is Ann",[1,2]],"name":"Ann"}""")]
    [InlineData("white space is no field separator", "a = 1 b = 2", "!t.conf:1:7")]
    public void Lists_and_objects_must_join(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("dots outside quotes separate, inside they do not", "foo.bar.\"hello.world\" = 1", """{"foo":{"bar":{"hello.world":1}}}""")]
    [InlineData("dots in numbers separate, too", "1.2.3 = x\n10.0foo = y", """{"1":{"2":{"3":"x"}},"10":{"0foo":"y"}}""")]
    [InlineData("adjacent quoted and unquoted text is one element", "foo\"10.0\" = 1", """{"foo10.0":1}""")]
    [InlineData("a path is always text", "true = 1\nnull = 2\n3 = 3\n3.14 = 4", """{"3":{"14":4},"null":2,"true":1}""")]
    [InlineData("an empty element must be quoted", "a.\"\".b = 1\n\"\" = 2", """{"":2,"a":{"":{"b":1}}}""")]
    [InlineData("two dots in a row are invalid", "a..b = 1", "!t.conf:1:1")]
    [InlineData("a dot at the start is invalid", ".a = 1", "!t.conf:1:1")]
    [InlineData("a dot at the end is invalid", "a. = 1", "!t.conf:1:1")]
    [InlineData("the same holds in substitutions", "a = ${b..c}", "!t.conf:1:7")]
    [InlineData("white space inside a key is kept, around it dropped", " a b  c  = 1", """{"a b  c":1}""")]
    [InlineData("a path key makes an object for each element", "a.b.c = 1\na.b.d = 2\na { b { e = 3 } }", """{"a":{"b":{"c":1,"d":2,"e":3}}}""")]
    [InlineData("an object may follow a path key", "a.b { c = 1 }", """{"a":{"b":{"c":1}}}""")]
    [InlineData("a path key replaces a value by an object", "a = 1\na.b = 2", """{"a":{"b":2}}""")]
    [InlineData("there are no substitutions in keys", "a${b} = 1", "!t.conf:1:1")]
    [InlineData("lists and objects are no keys", "[a] = 1", "!t.conf:1:1")]
    public void Path_must_split_at_its_dots(string rule, string text, string expected) => Texts.Check(text, expected);
}
