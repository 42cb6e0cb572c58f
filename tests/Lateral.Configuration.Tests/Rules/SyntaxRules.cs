#pragma warning disable xUnit1026 // the rule is the row's name
namespace Lateral.Configuration.Tests.Rules;

/// <summary>The specification's sections "Syntax" up to "Multi-line strings": rule, text, canonical JSON or the place of the error.</summary>
public sealed class SyntaxRules
{
    [Theory]
    [InlineData("all valid JSON is valid and means the same", "{\"a\":[1,-2.5e-3,true,null,{\"b\":\"\\u00e9\\/\"}],\"c\":{}}", "{\"a\":[1,-2.5e-3,true,null,{\"b\":\"é/\"}],\"c\":{}}")]
    [InlineData("JSON allows new lines around its colon", "{\n\"a\"\n:\n1\n,\n\"b\"\n:\n[\n]\n}", """{"a":1,"b":[]}""")]
    [InlineData("number formats are JSON's, so NaN is text", "a = NaN\nb = Infinity\nc = 0x10\nd = 1_000", """{"a":"NaN","b":"Infinity","c":"0x10","d":"1_000"}""")]
    [InlineData("quoted strings hold no control characters: a tab", "a = \"x\ty\"", "!t.conf:1:7")]
    [InlineData("quoted strings hold no control characters: U+0001", "a = \"\u0001\"", "!t.conf:1:6")]
    [InlineData("an escaped control character is fine", "a = \"\\t\\u0001\"", "{\"a\":\"\\t\\u0001\"}")]
    [InlineData("unquoted strings may hold control characters", "a = x\u0001y", "{\"a\":\"x\\u0001y\"}")]
    public void Json_must_stay_json(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("a comment runs from # or // to the newline", "a = 1 # b = 2\n// c = 3\nd = 4", """{"a":1,"d":4}""")]
    [InlineData("a comment needs no space before it", "a = 1#x\nb = two//x", """{"a":1,"b":"two"}""")]
    [InlineData("inside quotes there are no comments", "a = \"#//\"\nb = \"\"\"#//\"\"\"", """{"a":"#//","b":"#//"}""")]
    [InlineData("comments may stand between key, separator and value", "a # k\n= # s\n1 # v", """{"a":1}""")]
    [InlineData("comments may stand in lists and end the item", "a = [1 # x\n2 // y\n# z\n]", """{"a":[1,2]}""")]
    [InlineData("one slash is text", "a = /usr/bin", """{"a":"/usr/bin"}""")]
    public void Comment_must_be_ignored(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("root braces may be left out", "a = 1", """{"a":1}""")]
    [InlineData("an empty file is an empty object", " \n\t# nothing\n", "{}")]
    [InlineData("a closing root brace without its opening one is invalid", "a = 1\n}", "!t.conf:2:1")]
    [InlineData("an opening root brace without its closing one is invalid", "{ a = 1", "!t.conf:1:1")]
    [InlineData("nothing may follow the closing root brace", "{ a = 1 }\nb = 2", "!t.conf:2:1")]
    [InlineData("a list at the root is no configuration", "[1, 2]", "!t.conf:1:1")]
    [InlineData("a lone value is no configuration", "42", "!t.conf:1:1")]
    public void Root_must_be_an_object(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("= may stand wherever : may", "a = 1\nb : 2", """{"a":1,"b":2}""")]
    [InlineData("a separator may be left out before a brace", "a { b {} }\n\"c\"{}", """{"a":{"b":{}},"c":{}}""")]
    [InlineData("a separator may stand before a brace", "a = {}\nb : {}", """{"a":{},"b":{}}""")]
    [InlineData("a separator may not be left out before a list", "a [1]", "!t.conf:1:1")]
    [InlineData("one separator is enough", "a == 1", "!t.conf:1:4")]
    [InlineData("the two separators do not combine", "a := 1", "!t.conf:1:4")]
    [InlineData("a key needs a value", "a =\n", "!t.conf:1:1")]
    public void Separator_must_divide_key_and_value(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("a newline separates fields", "a = 1\nb = 2\n\n\nc = 3", """{"a":1,"b":2,"c":3}""")]
    [InlineData("a newline separates items", "a = [1\n\n2\n{}\n[]]", """{"a":[1,2,{},[]]}""")]
    [InlineData("a comma and newlines are one separator", "a = [1\n,\n2], b = 3\n,\nc = 4", """{"a":[1,2],"b":3,"c":4}""")]
    [InlineData("one trailing comma is ignored", "a = [1,], b = { c = 1, },", """{"a":[1],"b":{"c":1}}""")]
    [InlineData("two trailing commas are invalid", "a = { b = 1,, }", "!t.conf:1:13")]
    [InlineData("two commas in a row are invalid even with a newline", "a = 1,\n,b = 2", "!t.conf:2:1")]
    [InlineData("a leading comma is invalid", "a = [\n, 1]", "!t.conf:2:1")]
    [InlineData("a lone comma is invalid", "a = [,]", "!t.conf:1:6")]
    [InlineData("a carriage return alone is no newline", "a = [1\r2]", "{\"a\":[\"1\\r2\"]}")]
    [InlineData("only U+000A is a newline: U+2028 and U+0085 are not", "a = [1\u20282]\nb = [1\u00852]", "{\"a\":[\"1\\u20282\"],\"b\":[\"1\\u00852\"]}")]
    public void Comma_or_newline_must_separate(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("Zs: space, no-break, ogham, en, figure, narrow no-break, ideographic", "a\u0020\u00A0\u1680\u2002\u2007\u202F\u3000= 1", """{"a":1}""")]
    [InlineData("Zl and Zp", "a\u2028\u2029= 1", """{"a":1}""")]
    [InlineData("tab, vertical tab, form feed, carriage return", "a\t\v\f\r= 1", """{"a":1}""")]
    [InlineData("file, group, record and unit separator", "a\u001C\u001D\u001E\u001F= 1", """{"a":1}""")]
    [InlineData("the byte order mark, wherever it stands", "\uFEFFa =\uFEFF 1 \uFEFF", """{"a":1}""")]
    [InlineData("CRLF line ends leave no trace", "a = x\r\nb = [1\r\n2]\r\n", """{"a":"x","b":[1,2]}""")]
    [InlineData("U+0085 and the zero-width space are none", "a = x\u0085\u200B", "{\"a\":\"x\\u0085\u200B\"}")]
    public void Whitespace_must_be_the_listed_characters(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("the later of two values wins", "a = 1\na = x", """{"a":"x"}""")]
    [InlineData("objects merge, field by field", "a { b = 1, c { d = 1 } }\na { c { e = 2 } }", """{"a":{"b":1,"c":{"d":1,"e":2}}}""")]
    [InlineData("lists do not merge", "a = [1]\na = [2]", """{"a":[2]}""")]
    [InlineData("a value hides an object, and an object a value", "a { b = 1 }\na = 1\nc = 1\nc { d = 1 }", """{"a":1,"c":{"d":1}}""")]
    [InlineData("a value between two objects prevents their merge", "a { b = 1 }\na = null\na { c = 2 }", """{"a":{"c":2}}""")]
    [InlineData("null is a value", "a = 1\na = null", """{"a":null}""")]
    public void Duplicate_key_must_override_or_merge(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData('$', 7), InlineData('{', 0), InlineData('}', 0), InlineData('[', 0), InlineData(']', 0), InlineData(':', 7), InlineData('=', 7), InlineData('+', 7)]
    [InlineData('`', 7), InlineData('^', 7), InlineData('?', 7), InlineData('!', 7), InlineData('@', 7), InlineData('*', 7), InlineData('&', 7), InlineData('\\', 7)]
    public void Unquoted_string_must_not_hold(char forbidden, int column)
    {
        var error = Texts.Errors($"a = xy{forbidden}z");
        if (column > 0) Assert.StartsWith($"t.conf:1:{column}  ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("initial true, false, null and numbers are those", "a = true\nb = false\nc = null\nd = -1.5E+3", """{"a":true,"b":false,"c":null,"d":-1.5E+3}""")]
    [InlineData("they are text once more text follows", "a = trueish\nb = nullable\nc = 10.0bar\nd = 127.0.0.1\ne = 2026-01-02", """{"a":"trueish","b":"nullable","c":"10.0bar","d":"127.0.0.1","e":"2026-01-02"}""")]
    [InlineData("embedded ones are never special", "a = footrue\nb = bar10.0", """{"a":"footrue","b":"bar10.0"}""")]
    [InlineData("text that only begins like a number is text", "a = -foo\nb = 1.2.3\nc = -\nd = 1e", """{"a":"-foo","b":"1.2.3","c":"-","d":"1e"}""")]
    [InlineData("there are no escapes outside quotes", "a = x\\ny", "!t.conf:1:6")]
    [InlineData("single quotes, parentheses and percent signs are plain text", "a = 'x'(y)%", """{"a":"'x'(y)%"}""")]
    [InlineData("quotes make any character text", "a = \"$:=+{}[]`^?!@*&#,\"", """{"a":"$:=+{}[]`^?!@*&#,"}""")]
    public void Unquoted_string_must_be_literal(string rule, string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("newlines and white space are kept", "a = \"\"\" x\n\ty \"\"\"", "{\"a\":\" x\\n\\ty \"}")]
    [InlineData("escapes are not interpreted", "a = \"\"\"\\n\\u0041\\\"\"\"", """{"a":"\\n\\u0041\\"}""")]
    [InlineData("substitutions are not interpreted", "a = \"\"\"${b}\"\"\"", """{"a":"${b}"}""")]
    [InlineData("two quotes inside are text", "a = \"\"\"x\"\"y\"\"\"", """{"a":"x\"\"y"}""")]
    [InlineData("quotes beyond the third belong to the text", "a = \"\"\"foo\"\"\"\"\nb = \"\"\"foo\"\"\"\"\"", """{"a":"foo\"","b":"foo\"\""}""")]
    [InlineData("it takes part in concatenation and in keys", "a = x \"\"\"y\"\"\" z\n\"\"\"k\"\"\" = 1", """{"a":"x y z","k":1}""")]
    [InlineData("it must be closed", "a = \"\"\"x\nb = 1", "!t.conf:1:5")]
    public void Triple_quoted_string_must_be_taken_as_it_stands(string rule, string text, string expected) => Texts.Check(text, expected);
}
