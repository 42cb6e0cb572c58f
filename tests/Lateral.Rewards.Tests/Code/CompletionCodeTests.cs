using Lateral.Rewards.Code;

namespace Lateral.Rewards.Tests.Code;

public sealed class CompletionCodeTests
{
    private static readonly CodeProblem.HumanEval Function = new("import math\n\ndef f(x):\n    \"\"\"Adds one.\"\"\"\n", "f", "def check(candidate):\n    assert candidate(1) == 2\n");

    [Theory]
    [InlineData("x = 1", "x = 1")]
    [InlineData("Look:\n```python\nx = 1\n```\nand\n```\ny = 2\n```", "x = 1\n")]
    [InlineData("```\nx = 1", "x = 1")]
    [InlineData("```py\r\nx = 1\r\n```", "x = 1\n")]
    public void Program_of_a_list_of_tests_must_be_the_first_block_or_everything(string completion, string program) =>
        Assert.Equal(program, CompletionCode.Program(new CodeProblem.Mbpp("", ["assert f(1)"]), completion));

    [Theory]
    [InlineData("    return x + 1\n", "    return x + 1\n")]
    [InlineData("return x + 1", "    return x + 1")]
    [InlineData("y = 1\n    return x + y", "    y = 1\n    return x + y")]
    [InlineData("y = 1\nreturn x + y", "y = 1\nreturn x + y")]
    [InlineData("", "")]
    public void Body_must_go_on_from_the_prompt(string completion, string behind) => Assert.Equal(Function.Prompt + behind, CompletionCode.Program(Function, completion));

    [Theory]
    [InlineData("def f(x):\n    return x + 1")]
    [InlineData("def g(x):\n    return x\n\ndef f(x):\n    return g(x) + 1")]
    [InlineData("f = lambda x: x + 1")]
    public void Whole_function_must_stand_behind_the_prompt(string completion) => Assert.Equal($"{Function.Prompt}\n\n{completion}", CompletionCode.Program(Function, $"```python\n{completion}```"));
}
