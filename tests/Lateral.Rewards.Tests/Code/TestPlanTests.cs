using Lateral.Rewards.Code;
using Lateral.Rewards.Tests.Sandbox;

namespace Lateral.Rewards.Tests.Code;

/// <summary>How assertions are taken apart: what is called, and what it is compared with.</summary>
public sealed class TestPlanTests(CodeFixture fixture) : IClassFixture<CodeFixture>
{
    [SandboxTheory]
    [InlineData("assert f(1, 'a') == [1, 2]", "f(1, 'a')", "eq")]
    [InlineData("assert f(1) != 2, 'message'", "f(1)", "ne")]
    [InlineData("assert 3 == f(x=[1])", "f(x=[1])", "eq")]
    [InlineData("assert f(1)", "f(1)", "true")]
    [InlineData("assert not f(1)", "f(1)", "false")]
    [InlineData("assert f(1) is None", "f(1)", "is")]
    [InlineData("assert f(1) is not True", "f(1)", "is-not")]
    [InlineData("assert not f(1) == 2", "f(1)", "ne")]
    [InlineData("assert abs(f(1) - 2.5) < 1e-6", "f(1)", "below")]
    [InlineData("assert abs(2 - f(1)) <= 0.5", "f(1)", "within")]
    [InlineData("assert sorted(f((1,))) == [1]", "sorted(f((1, )))", "eq")]
    [InlineData("assert set(f({1: 2})) == {1}", "set(f({1: 2}))", "eq")]
    [InlineData("assert round(f(1), 2) == 0.33", "round(f(1), 2)", "eq")]
    [InlineData("assert f(1)[0].upper() == 'A'", "f(1)[0].upper()", "eq")]
    [InlineData("assert f(g(1)) == 2", "f(g(1))", "eq")]
    [InlineData("assert f([Pair(1, 2), Pair(3, 4)]) == 2", "f([Pair(1, 2), Pair(3, 4)])", "eq")]
    [InlineData("assert f(float('inf')) == 2", "f(float('inf'))", "eq")]
    [InlineData("x = list(range(3))\nassert f(x) == sum(x)", "f([0, 1, 2])", "eq")]
    public async Task Assertion_must_become_a_call_and_a_comparison(string test, string call, string operation)
    {
        var only = Assert.Single(Assert.IsType<TestPlan.Apart>(await PlanAsync(test)).Tests);
        Assert.Equal((call, operation), (only.Call, only.Operation));
    }

    [SandboxFact]
    public async Task Loops_conjunctions_and_trivial_assertions_must_become_what_they_assert()
    {
        var plan = Assert.IsType<TestPlan.Apart>(await PlanAsync("assert True, 'begins'\nfor i in range(3):\n    assert f(i) == i * i and f(i)"));
        Assert.Equal(["f(0) eq", "f(0) true", "f(1) eq", "f(1) true", "f(2) eq", "f(2) true"], plan.Tests.Select(test => $"{test.Call} {test.Operation}"));
        Assert.Equal(new PyValue.Int(4), plan.Tests[4].Value);
    }

    [SandboxTheory]
    [InlineData("import math\nassert math.isclose(f(1), 0.5)")]
    [InlineData("assert f(1) == 2 or f(1) == 3")]
    [InlineData("assert f(1) in (1, 2)")]
    [InlineData("assert f(1) == f(2)")]
    [InlineData("assert (f(1) == 2) == True")]
    [InlineData("assert isinstance(f(1), int)")]
    [InlineData("assert f(1) > 3")]
    [InlineData("assert [f(1), f(2)] == [1, 2]")]
    [InlineData("assert all(f(i) == i for i in range(3))")]
    [InlineData("assert f(1) == object()")]
    [InlineData("assert False")]
    public async Task Assertion_that_needs_python_must_stay_whole(string test) => Assert.IsType<TestPlan.Whole>(await PlanAsync(test));

    [SandboxTheory]
    [InlineData("assert f(1) ==", "SyntaxError")]
    [InlineData("if f(1): assert f(1) == 1", "NotApart")]
    [InlineData("for x in f(1): assert x", "NotApart")]
    [InlineData("assert True", "they assert nothing")]
    [InlineData("1 / 0\nassert f(1)", "ZeroDivisionError")]
    [InlineData("while True: pass", "Timeout")]
    public async Task Tests_that_need_the_program_to_go_on_or_are_none_must_be_refused(string test, string cause) =>
        Assert.Contains(cause, Assert.IsType<TestPlan.Refused>(await PlanAsync(test)).Cause, StringComparison.Ordinal);

    [SandboxFact]
    public async Task Refused_tests_must_be_nobody_s_fault() =>
        Assert.StartsWith("tests that cannot be judged: ", Assert.IsType<CodeJudgement.Fault>(await fixture.Judge.JudgeAsync(new CodeProblem.Mbpp("", ["assert f(1) =="]), "def f(x): return 1", default)).Cause, StringComparison.Ordinal);

    [SandboxTheory]
    [InlineData("import math", "assert f(2) == math.pi * 4", "import math\ndef f(r): return math.pi * r * r", 1)]
    [InlineData("", "assert f(1) > 3", "def f(x): return 4", 1)]
    [InlineData("", "assert f(1) > 3", "def f(x): return 3", 0)]
    [InlineData("", "assert f(1) in (1, 2)", "def f(x): return 2.0", 1)]
    [InlineData("import math", "assert math.isclose(f(1), 0.3)", "def f(x): return 0.1 + 0.2", 1)]
    [InlineData("", "assert isinstance(f(1), list)", "def f(x): return (1,)", 0)]
    [InlineData("root = Node(1)\nroot.left = Node(2)", "assert depth(root) == 2", "class Node:\n  def __init__(s, v): s.v, s.left = v, None\ndef depth(n): return 1 + depth(n.left) if n else 0", 1)]
    [InlineData("", "assert f([Pair(1, 2), Pair(3, 4)]) == 10", "class Pair:\n  def __init__(s, a, b): s.s = a + b\ndef f(pairs): return sum(p.s for p in pairs)", 1)]
    [InlineData("", "assert f(3) == {3: {1, 2}, 'x': (None, 1.5, b'y')}", "def f(x): return {'x': (None, 1.5, b'y'), x: {2, 1}}", 1)]
    [InlineData("", "assert f(1) == [1]", "def f(x): return (1,)", 0)]
    [InlineData("", "assert f('é\\U0001F600\\'\\\\') == 'é\\U0001F600\\'\\\\!'", "def f(x): return x + '!'", 1)]
    [InlineData("", "assert f(10) == 10 ** 5000", "def f(x): return x ** 5000", 1)]
    [InlineData("", "assert f('\\ud800') is None", "def f(x): return None", 1)]
    public async Task Values_must_cross_and_compare_as_in_python(string setup, string test, string completion, int passed) => Assert.Equal((passed, 1), await fixture.CountAsync(new CodeProblem.Mbpp(setup, [test]), completion));

    [SandboxTheory]
    [InlineData("def f(x): return x + 1", 3, 1)]
    [InlineData("def f(x): return 2", 1, 1)]
    [InlineData("def f(x):\n  if x > 1: raise ValueError\n  return 2", 1, 1)]
    [InlineData("def f(x):\n  import os\n  if x > 2: os._exit(0)\n  return x + 1", 2, 1)]
    [InlineData("def f(x) return 2", 0, 0)]
    [InlineData("def f(x): return '\0'", 0, 0)]
    public async Task Rate_must_be_the_share_of_assertions_that_hold(string completion, int passed, int syntax)
    {
        var judged = Assert.IsType<CodeJudgement.Judged>(await fixture.Judge.JudgeAsync(new CodeProblem.Mbpp("", ["assert f(1) == 2", "assert f(2) == 3", "assert f(3) == 4"]), completion, default));
        Assert.Equal((passed, 3, syntax == 1), (judged.Passed, judged.Total, judged.Syntax));
    }

    [SandboxTheory]
    [InlineData("def f(x):\n  while True: pass", "timeout")]
    [InlineData("def f(x): return len([b'x' * (1 << 20) for _ in range(10000)])", "out-of-memory")]
    [InlineData("def f(x): return bytearray(1 << 40)", "out-of-memory")]
    [InlineData("def f(x): return 'x' * 100000", "output-limit")]
    [InlineData("def f(x):\n  while True: print('x')", "output-limit")]
    public async Task Program_over_a_limit_must_be_its_own_fault(string completion, string kind) =>
        Assert.Equal(new CodeJudgement.OverLimit(kind), await fixture.Judge.JudgeAsync(new CodeProblem.Mbpp("", ["assert f(1) == 2"]), completion, default));

    private Task<TestPlan> PlanAsync(string test) => fixture.Judge.PlanAsync(new CodeProblem.Mbpp("", [test]), default);
}
