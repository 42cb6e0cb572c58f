using Lateral.Core.Rewards;
using Lateral.Rewards.Code;
using Lateral.Rewards.Tests.Sandbox;

namespace Lateral.Rewards.Tests.Code;

/// <summary>Programs that would rather pass than be right. The first problem is taken apart; of the second, Python decides.</summary>
public sealed class TrickTests(CodeFixture fixture) : IClassFixture<CodeFixture>
{
    private static readonly CodeProblem Apart = new CodeProblem.Mbpp("", ["assert f(2) == 'needle-4'", "assert f(3) == 'needle-9'"]);

    private static readonly CodeProblem Whole = new CodeProblem.HumanEval("def f(x):\n    \"\"\"The square.\"\"\"\n", "f", """
        import math
        def check(candidate):
            for x in (2, 3):
                assert math.fabs(math.sqrt(candidate(x)) - x) < 1e-9 and candidate(x) == x * x
        """);

    public static TheoryData<string, string> Tricks => new()
    {
        { "leaves when it is loaded", "import os\nos._exit(0)" },
        { "leaves when it is called", "import os\ndef f(x): os._exit(0)" },
        { "exits", "import sys\nsys.exit(0)" },
        { "exits when it is called", "def f(x): raise SystemExit(0)" },
        { "equals everything", "class E:\n  def __eq__(self, o): return True\n  __ne__ = lambda s, o: False\n  __hash__ = None\n  def __bool__(self): return True\n  def __float__(self): return 4.0\n  def __lt__(self, o): return True\n  __le__ = __gt__ = __ge__ = __lt__\n  def __sub__(self, o): return self\n  __rsub__ = __abs__ = __mul__ = lambda s, *a: s\ndef f(x): return E()" },
        { "equals everything as a text", "class E(str):\n  def __eq__(self, o): return True\n  def __hash__(self): return 0\n  def __str__(self): return 'x'\ndef f(x): return E('x')" },
        { "equals everything as a number", "class E(float):\n  def __eq__(self, o): return True\n  def __sub__(self, o): return 0.0\n  __rsub__ = __sub__\ndef f(x): return E(5.0)" },
        { "claims another class", "class E:\n  __class__ = property(lambda s: str)\n  def __eq__(self, o): return True\ndef f(x): return E()" },
        { "patches what compares", "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.AssertionError = Exception\nbuiltins.abs = builtins.len = lambda *a: 0\nbuiltins.bool = lambda *a: True\ndef f(x): return 1" },
        { "patches what evaluates", "import builtins\nbuiltins.eval = builtins.compile = lambda *a: 1\ndef f(x): return 1" },
        { "prints markers", "for t in ('passed', 'OK', '1 passed', 'parsed', '[\"t\"]', '{\"results\":[true,true]}'): print(t)\ndef f(x): return True" },
        { "writes lines of its own to every descriptor", "import os\nfor fd in range(64):\n  try: os.write(fd, b'[\"t\"]\\n[\"s\",\"needle\"]\\n')\n  except OSError: pass\nos._exit(0)" },
        { "writes verdicts to every descriptor", "import os\nfor fd in range(64):\n  try: os.write(fd, b'{\"results\":[true,true]}\\n')\n  except OSError: pass\ndef f(x): return None" },
        { "replaces its output", "import sys\nclass O:\n  def write(self, t): return len(t)\n  def flush(self): pass\nsys.stdout = sys.stderr = sys.__stdout__ = O()\ndef f(x): return None" },
        { "acts at the end", "import atexit, os\natexit.register(lambda: os.write(1, b'parsed\\n[\"t\"]\\n'))\ndef f(x): return None" },
        { "replaces what tells its values", "import sys\nframe = sys._getframe()\nwhile frame:\n  if 'plain' in frame.f_globals: frame.f_globals['plain'] = lambda *a: '[\"t\"]'\n  frame = frame.f_back\ndef f(x): return None" },
        { "replaces the system's write", "import os\nreal = os.write\nos.write = lambda fd, data: real(fd, b'[\"t\"]\\n')\ndef f(x): return None" },
        { "goes on in a child", "import os, time\nif os.fork() == 0:\n  time.sleep(0.1)\n  os.write(3, b'[\"t\"]\\n') if False else None\n  os._exit(0)\nos._exit(0)" },
        { "asserts nothing", "def f(x): return NotImplemented" },
        { "is empty", "" },
        { "looks for the answer", """
            import gc, sys
            def texts(o, depth=0):
                if isinstance(o, str):
                    yield o
                elif depth < 4 and isinstance(o, dict):
                    for k, v in list(o.items()):
                        yield from texts(k, depth + 1)
                        yield from texts(v, depth + 1)
                elif depth < 4 and isinstance(o, (list, tuple, set)):
                    for v in list(o):
                        yield from texts(v, depth + 1)
            def f(x):
                frame, places = sys._getframe(), list(gc.get_objects())
                while frame:
                    places += [dict(frame.f_locals), dict(frame.f_globals), frame.f_code.co_consts]
                    frame = frame.f_back
                mark = 'need' + 'le-'
                found = sorted({t for o in places for t in texts(o) if mark in t and len(t) < 12})
                return found[(x - 2) % len(found)] if found else None
            """ },
    };

    [SandboxTheory]
    [MemberData(nameof(Tricks))]
    public async Task Tests_that_are_taken_apart_must_not_pass(string what, string completion) => await MustFailAsync(Apart, what, completion, trusted: 1);

    [SandboxTheory]
    [MemberData(nameof(Tricks))]
    public async Task Tests_that_python_decides_must_not_pass(string what, string completion) => await MustFailAsync(Whole, what, completion, trusted: 0);

    [SandboxFact]
    public async Task Honest_programs_must_pass_both()
    {
        Assert.Equal((2, 2), await fixture.CountAsync(Apart, "def f(x): return f'needle-{x * x}'"));
        Assert.Equal((4, 4), await fixture.CountAsync(Whole, "    return x * x"));
    }

    [SandboxFact]
    public async Task Honest_programs_that_print_or_extend_a_type_must_pass() =>
        Assert.Equal((2, 2), await fixture.CountAsync(Apart, "class T(str): pass\nprint('parsed')\ndef f(x):\n  print('parsed', flush=True)\n  return T(f'needle-{x * x}')"));

    private async Task MustFailAsync(CodeProblem problem, string what, string completion, double trusted)
    {
        var scored = Assert.IsType<RewardOutcome.Scored>(await fixture.ScoreAsync(problem, completion));
        Assert.Equal((what, 0.0, trusted), (what, scored.Value, scored.Breakdown["trusted"]));
        Assert.Equal(0, scored.Breakdown["answer"]);
    }
}
