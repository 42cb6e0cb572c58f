namespace Lateral.Configuration.Tests;

/// <summary>One row per rule of the public specification, written from its prose: text, canonical JSON.</summary>
public sealed class SpecificationTests
{
    [Theory]
    // Syntax: comments, braces, separators, commas, white space.
    [InlineData("", "{}")]
    [InlineData("# only\n// comments", "{}")]
    [InlineData("a = 1 # one\nb = 2 // two\nc = \"# // no comment\"", """{"a":1,"b":2,"c":"# // no comment"}""")]
    [InlineData("{ a : 1 }", """{"a":1}""")]
    [InlineData("\uFEFFa = 1\r\nb = 2\r\n", """{"a":1,"b":2}""")]
    [InlineData("a\u00A0=\u20071\t", """{"a":1}""")]
    [InlineData("a = 1, b : 2,", """{"a":1,"b":2}""")]
    [InlineData("a = 1\n, b = 2", """{"a":1,"b":2}""")]
    [InlineData("a {} b.c {}", "!t.conf:1:6")]
    [InlineData("a { b = 1 }, c { d = 2 }", """{"a":{"b":1},"c":{"d":2}}""")]
    [InlineData("x.y { p = 1 }, z = 2", """{"x":{"y":{"p":1}},"z":2}""")]
    [InlineData("a\n{\n  b = 1\n}", """{"a":{"b":1}}""")]
    [InlineData("\"a\"\n:\n1", """{"a":1}""")]
    [InlineData("a = [1,2,3,]", """{"a":[1,2,3]}""")]
    [InlineData("a = [1\n2\n3]", """{"a":[1,2,3]}""")]
    [InlineData("a = [\n  1,\n  2\n\n  , 3\n]", """{"a":[1,2,3]}""")]
    [InlineData("a = [1,2,3,,]", "!t.conf:1:12")]
    [InlineData("a = [,1]", "!t.conf:1:6")]
    [InlineData("a = [1,,2]", "!t.conf:1:8")]
    [InlineData("a = 1,,b = 2", "!t.conf:1:7")]
    [InlineData("{,a = 1}", "!t.conf:1:2")]
    [InlineData("[1]", "!t.conf:1:1")]
    [InlineData("{ a = 1 } b = 2", "!t.conf:1:11")]
    // Scalars.
    [InlineData("a = 1e5\nb = -0.5\nc = 1E+2\nd = 007\ne = .33\nf = 1.", """{"a":1e5,"b":-0.5,"c":1E+2,"d":"007","e":".33","f":"1."}""")]
    [InlineData("a = true\nb = false\nc = null\nd = on\ne = no", """{"a":true,"b":false,"c":null,"d":"on","e":"no"}""")]
    [InlineData("a = truefoo\nb = footrue\nc = 10.0bar\nd = bar10.0", """{"a":"truefoo","b":"footrue","c":"10.0bar","d":"bar10.0"}""")]
    [InlineData("""a = "\" \\ \/ \b\f\n\r\t \u0041\ud83d\ude00" """, "{\"a\":\"\\\" \\\\ / \\u0008\\u000c\\n\\r\\t A\U0001F600\"}")]
    [InlineData("a = \"\"", """{"a":""}""")]
    [InlineData("a = \"\"\"x \\n \"y\"\nz\"\"\"", """{"a":"x \\n \"y\"\nz"}""")]
    [InlineData("a = \"\"\"\"quoted\"\"\"\"", "{\"a\":\"\\\"quoted\\\"\"}")]
    [InlineData("a = \"\"\"\"\"\"", """{"a":""}""")]
    // Duplicate keys and merging.
    [InlineData("a = 1\na = 2", """{"a":2}""")]
    [InlineData("foo { a = 42 }\nfoo { b = 43 }", """{"foo":{"a":42,"b":43}}""")]
    [InlineData("foo { a = 42 }\nfoo = null\nfoo { b = 43 }", """{"foo":{"b":43}}""")]
    [InlineData("foo { a { x = 1 }, b = 1 }\nfoo { a { y = 2 }, b { c = 3 } }", """{"foo":{"a":{"x":1,"y":2},"b":{"c":3}}}""")]
    [InlineData("a = { b = 1 }\na = 5", """{"a":5}""")]
    // Concatenation.
    [InlineData("a =   foo  bar   baz  \nb = [ x y , 1 2 ]", """{"a":"foo  bar   baz","b":["x y","1 2"]}""")]
    [InlineData("a = \"x \" y \" z\"", """{"a":"x  y  z"}""")]
    [InlineData("a = null bar 42 baz true 3.14 hi", """{"a":"null bar 42 baz true 3.14 hi"}""")]
    [InlineData("a = { b = 1 } { c = 2 }", """{"a":{"b":1,"c":2}}""")]
    [InlineData("a = [1, 2] [3, 4]", """{"a":[1,2,3,4]}""")]
    [InlineData("a = [ [1, 2] [3, 4] ]\nb = [ [1]\n[2] ]", """{"a":[[1,2,3,4]],"b":[[1],[2]]}""")]
    [InlineData("a = [ {x = 1} {y = 2}, {z = 3} ]", """{"a":[{"x":1,"y":2},{"z":3}]}""")]
    [InlineData("a = [1] { \"1\" = c, \"0\" = b, x = d }", """{"a":[1,"b","c"]}""")]
    // Keys.
    [InlineData("a.b.c = 1\na.b.d = 2", """{"a":{"b":{"c":1,"d":2}}}""")]
    [InlineData("a.\"b.c\".d = 1", """{"a":{"b.c":{"d":1}}}""")]
    [InlineData("a.\"\".b = 1", """{"a":{"":{"b":1}}}""")]
    [InlineData("10.0foo = 1\nfoo10.0 = 2\nfoo\"10.0\" = 3", """{"10":{"0foo":1},"foo10":{"0":2},"foo10.0":3}""")]
    [InlineData("a b c = 42\ntrue = 1\n3.14 = 2", """{"3":{"14":2},"a b c":42,"true":1}""")]
    [InlineData("foo include = 42\n\"include\" = 1\nb = include\nc = [include]", """{"b":"include","c":["include"],"foo include":42,"include":1}""")]
    [InlineData("/path/like-this = 1\n%prod.x = 2", """{"%prod":{"x":2},"/path/like-this":1}""")]
    public void Text_must_mean_what_the_specification_says(string text, string expected) => Texts.Check(text, expected);

    [Theory]
    [InlineData("a = ${b}\nb = 1", """{"a":1,"b":1}""")]
    [InlineData("b = 1\na = ${b}\nb = 2", """{"a":2,"b":2}""")]
    [InlineData("b { c = [1] }\na = ${b.c}", """{"a":[1],"b":{"c":[1]}}""")]
    [InlineData("b = null\na = ${b}", """{"a":null,"b":null}""")]
    [InlineData("a.\"x.y\" = 1\nb = ${a.\"x.y\"}", """{"a":{"x.y":1},"b":1}""")]
    [InlineData("n = cat\na = ${n} is my favorite\nb = ${n}\" too\"", """{"a":"cat is my favorite","b":"cat too","n":"cat"}""")]
    [InlineData("x = 1\ny = 2\na = ${x} ${y}", """{"a":"1 2","x":1,"y":2}""")]
    [InlineData("x = [1]\ny = [2]\na = ${x} ${y}", """{"a":[1,2],"x":[1],"y":[2]}""")]
    [InlineData("x = [1]\na = ${x}\" \"${x}", "!t.conf:2:5")]
    // Optional substitutions.
    [InlineData("a = ${?b}", "{}")]
    [InlineData("a = 1\na = ${?b}", """{"a":1}""")]
    [InlineData("a = ${?b}${?c}", "{}")]
    [InlineData("a = [1, ${?b}, 2]", """{"a":[1,2]}""")]
    [InlineData("a = x${?b}y", """{"a":"xy"}""")]
    [InlineData("a = ${?b} [1]\nc = ${?b} { d = 1 }", """{"a":[1],"c":{"d":1}}""")]
    // Self-reference: look back.
    [InlineData("path = \"a:b\"\npath = ${path}\":c\"", """{"path":"a:b:c"}""")]
    [InlineData("a = [1, 2]\na = ${a} [3, 4]", """{"a":[1,2,3,4]}""")]
    [InlineData("a = [1]\na = [0] ${a}", """{"a":[0,1]}""")]
    [InlineData("foo { a = 1 }\nfoo = ${foo}", """{"foo":{"a":1}}""")]
    [InlineData("foo = ${foo}\nfoo { a = 1 }", "!t.conf:1:7")]
    [InlineData("foo = ${?foo}", "{}")]
    [InlineData("foo = ${does-not-exist}\nfoo = 42", """{"foo":42}""")]
    [InlineData("foo = ${foo}\nfoo = 42", """{"foo":42}""")]
    [InlineData("foo { a { c = 1 } }\nfoo = ${foo.a}\nfoo { a = 2 }", """{"foo":{"a":2,"c":1}}""")]
    [InlineData("bar { foo = 42, baz = ${bar.foo} }", """{"bar":{"baz":42,"foo":42}}""")]
    [InlineData("bar { foo = 42, baz = ${bar.foo} }\nbar { foo = 43 }", """{"bar":{"baz":43,"foo":43}}""")]
    [InlineData("bar { a = ${foo.d}, b = 1 }\nbar.b = 3\nfoo { c = ${bar.b}, d = 2 }\nfoo.d = 4", """{"bar":{"a":4,"b":3},"foo":{"c":3,"d":4}}""")]
    [InlineData("a = ${?a}foo", """{"a":"foo"}""")]
    [InlineData("a = 1\nb = 2\na = ${b}\nb = ${a}", """{"a":1,"b":1}""")]
    [InlineData("a { b = 1 }\na.b = ${a.b}2", """{"a":{"b":"12"}}""")]
    // Cycles.
    [InlineData("foo = ${foo}", "!t.conf:1:7")]
    [InlineData("bar = ${foo}\nfoo = ${bar}", "!t.conf:1:7")]
    [InlineData("a = ${b}\nb = ${c}\nc = ${a}", "!t.conf:1:5")]
    [InlineData("a = { b = ${a} }", "!t.conf:1:11")]
    [InlineData("a = [1]\na = [${a}]", "!t.conf:2:6")]
    // += is an optional self-reference.
    [InlineData("a += 1\na += x", """{"a":[1,"x"]}""")]
    [InlineData("a = [1]\na += [2]\na += { b = 3 }", """{"a":[1,[2],{"b":3}]}""")]
    [InlineData("l = [{ a = [1], a += 2 }]", """{"l":[{"a":[1,2]}]}""")]
    [InlineData("b = [1]\na = ${b}\na += 2", """{"a":[1,2],"b":[1]}""")]
    [InlineData("a = 1\na += 2", "!t.conf:2:6")]
    // Inheritance.
    [InlineData("base { p = 1, q = 1 }\na = ${base} { q = 2 }", """{"a":{"p":1,"q":2},"base":{"p":1,"q":1}}""")]
    [InlineData("base { p = 1 }\na = ${base} { q = 2, r = ${a.q}, s = ${a.p} }", """{"a":{"p":1,"q":2,"r":2,"s":1},"base":{"p":1}}""")]
    [InlineData("a = ${x}\na { c = 2 }\nx { b = 1, c = 1 }", """{"a":{"b":1,"c":2},"x":{"b":1,"c":1}}""")]
    [InlineData("x = 5\na = ${x} { c = 2 }", "!t.conf:2:5")]
    public void Substitution_must_follow_the_specification(string text, string expected) => Texts.Check(text, expected);

    [Fact]
    public void Environment_must_be_a_fallback_of_substitutions_only()
    {
        var environment = new Dictionary<string, string> { ["PORT"] = "4053", ["EMPTY"] = "", ["HOSTS_0"] = "a:1", ["HOSTS_1"] = "b:2", ["BLOCKED"] = "no" };
        var root = Texts.Parse(
            """
            port = 1, port = ${?PORT}
            empty = ${EMPTY}
            hosts = ${HOSTS[]} [c]
            BLOCKED = null, blocked = ${BLOCKED}
            unset = 1, unset = ${?UNSET}
            """, environment);
        Assert.Equal("""{"BLOCKED":null,"blocked":null,"empty":"","hosts":["a:1","b:2","c"],"port":"4053","unset":1}""", CanonicalJson.Write(root));
        Assert.Equal("t.conf:1:18 (env $PORT)", root.Fields["port"].Origin.ToString());
    }

    [Fact]
    public void Long_chains_of_one_key_must_resolve_without_recursion()
    {
        var list = string.Concat(Enumerable.Range(0, 5000).Select(i => $"l += {i}\n"));
        Assert.Equal(5000, ((ConfigArray)Texts.Parse(list).Fields["l"]).Items.Count);
        var path = "p = x\n" + string.Concat(Enumerable.Repeat("p = ${p}y\n", 2000));
        Assert.Equal("x" + new string('y', 2000), ((ConfigScalar)Texts.Parse(path).Fields["p"]).Text);
        var objects = "o { a0 = 0 }\n" + string.Concat(Enumerable.Range(1, 300).Select(i => $"o = ${{o}} {{ a{i} = {i} }}\n"));
        Assert.Equal(301, ((ConfigObject)Texts.Parse(objects).Fields["o"]).Fields.Count);
    }

    [Fact]
    public void Chain_through_many_keys_must_resolve_or_say_that_it_is_too_long()
    {
        static string Chain(int n) => "a0 = end\n" + string.Concat(Enumerable.Range(1, n).Select(i => $"a{i} = ${{a{i - 1}}}\n").Reverse());
        Assert.Equal("end", ((ConfigScalar)Texts.Parse(Chain(300)).Fields["a300"]).Text);
        Assert.Contains("substitutions lead through too many others to resolve", Texts.Errors(Chain(20_000)), StringComparison.Ordinal);
    }
}
