using Lateral.Rewards.Code;

namespace Lateral.Rewards.Tests.Code;

public sealed class CodeProblemTests
{
    [Fact]
    public void A_function_must_survive_its_reference()
    {
        var problem = new CodeProblem.HumanEval("def f(x):\n    \"\"\"é \\ \u2028\"\"\"\n", "f", "def check(candidate):\n    assert candidate(1) == 2\n");
        Assert.Equal(problem, CodeProblem.Read(problem.ToReference()));
    }

    [Fact]
    public void A_list_of_tests_must_survive_its_reference()
    {
        var read = Assert.IsType<CodeProblem.Mbpp>(CodeProblem.Read(new CodeProblem.Mbpp("import math", ["assert f(1) == 2", "assert f('\"') == '\\n'"]).ToReference()));
        Assert.Equal("import math", read.Setup);
        Assert.Equal<string>(["assert f(1) == 2", "assert f('\"') == '\\n'"], read.Tests);
    }

    [Fact]
    public void A_missing_setup_must_be_an_empty_one() => Assert.Equal("", Assert.IsType<CodeProblem.Mbpp>(CodeProblem.Read("""{"tests": ["assert f(1)"]}""")).Setup);

    [Theory]
    [InlineData("")]
    [InlineData("assert f(1) == 2")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"tests": []}""")]
    [InlineData("""{"tests": ["  "]}""")]
    [InlineData("""{"tests": [1]}""")]
    [InlineData("""{"tests": ["\ud800"]}""")]
    [InlineData("""{"setup": 1, "tests": ["assert f(1)"]}""")]
    [InlineData("""{"prompt": "def f(x):\n", "entry_point": "", "test": "def check(candidate):\n  pass"}""")]
    [InlineData("""{"prompt": "def f(x):\n", "entry_point": "f"}""")]
    [InlineData("""{"prompt": "def f(x):\n", "entry_point": "f", "test": ""}""")]
    [InlineData("""{"prompt": 1, "tests": []}""")]
    public void Anything_else_must_be_unreadable(string reference) => Assert.Null(CodeProblem.Read(reference));
}
