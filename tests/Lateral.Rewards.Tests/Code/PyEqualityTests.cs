using System.Text;
using Lateral.Rewards.Code;
using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Tests.Sandbox;

namespace Lateral.Rewards.Tests.Code;

/// <summary>Equality of every pair of values, against Python's own answer.</summary>
public sealed class PyEqualityTests(SandboxFixture fixture) : IClassFixture<SandboxFixture>
{
    private static readonly string[] Values =
    [
        "None", "True", "False", "0", "1", "-1", "2", "0.0", "-0.0", "1.0", "1.5", "2**53", "2**53 + 1", "2.0**53", "1e308 * 10", "-1e308 * 10", "float('nan')", "10**400", "1j", "1 + 0j", "''", "'a'", "'A'", "'é'", "'e\\u0301'",
        "'\\U0001F600'", "b''", "b'a'", "bytearray(b'a')", "()", "[]", "(1,)", "[1]", "[1.0]", "[True]", "(1, 2)", "[1, 2]", "[2, 1]", "[[1], (2,)]", "set()", "frozenset()", "{1, 2}", "frozenset([2, 1])", "{1.0, 2}", "{'a'}", "{}", "{1: 2}",
        "{True: 2.0}", "{1: [2]}", "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", "range(0)", "range(3)", "range(0, 3, 1)", "range(5, 5)", "range(0, 1, 7)", "range(0, 1, 9)", "range(3, 0, -1)", "{(1, 2): 3}", "{frozenset([1])}",
    ];

    [SandboxFact]
    public async Task Values_must_be_equal_exactly_where_python_says_so()
    {
        var program = $"{EmbeddedPython.Text("plain.py")}\nvalues = [{string.Join(", ", Values)}]\nfor v in values: print(plain(v))\nprint(''.join('1' if a == b and i != j or i == j and a == a else '0' for i, a in enumerate(values) for j, b in enumerate(values)))";
        var exited = Assert.IsType<SandboxResult.Exited>(await fixture.RunAsync(program));
        var lines = Encoding.UTF8.GetString(exited.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var values = lines[..^1].Select(line => PyValue.Read(line) ?? throw new InvalidOperationException(line)).ToArray();
        Assert.Equal(Values.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            for (var j = 0; j < values.Length; j++)
            {
                var equal = PyEquality.Instance.Equals(values[i], values[j]);
                Assert.Equal((Values[i], Values[j], lines[^1][(i * values.Length) + j] == '1'), (Values[i], Values[j], equal));
                if (equal) Assert.Equal(PyEquality.Instance.GetHashCode(values[i]), PyEquality.Instance.GetHashCode(values[j]));
            }
        }
    }

    [SandboxFact]
    public async Task Values_must_survive_being_written_as_source()
    {
        var told = (await fixture.PrintedAsync($"{EmbeddedPython.Text("plain.py")}\nfor v in [{string.Join(", ", Values)}]: print(plain(v))")).Split('\n');
        var source = string.Join(", ", told.Select(line => PyLiteral.Of(PyValue.Read(line)!)));
        Assert.Equal(told, (await fixture.PrintedAsync($"{EmbeddedPython.Text("plain.py")}\nfor v in [{source}]: print(plain(v))")).Split('\n'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("""["i"]""")]
    [InlineData("""["i","zz"]""")]
    [InlineData("""["i",1]""")]
    [InlineData("""["d",["n"]]""")]
    [InlineData("""["s","\ud800"]""")]
    [InlineData("""["b","abc"]""")]
    [InlineData("""["q","x"]""")]
    [InlineData("""{"i": "1"}""")]
    public void What_no_sandbox_writes_must_be_no_value(string json) => Assert.Null(PyValue.Read(json));

    [Fact]
    public void Values_that_lie_too_deep_must_be_no_value() => Assert.Null(PyValue.Read(string.Concat(Enumerable.Repeat("""["l",""", 5000)) + "[\"n\"]" + new string(']', 5000)));
}
