using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Code;

/// <summary>
/// Runs completions against tests. A program's own sandbox has the calls and not what should come of them; the verdict is made here (or, where an assertion needs Python, in a second sandbox that has the program's plain
/// values and not the program). So a program can only pass by saying the right values: leaving early, patched builtins, objects that equal everything and printed markers say none.
/// </summary>
internal sealed class CodeJudge(GuardedSandbox guard) : IAsyncDisposable
{
    /// <summary>Plans are small, and a run goes over its problems again and again; whoever has more than this pays for some twice.</summary>
    private const int MostPlans = 20_000;

    private readonly ConcurrentDictionary<string, TestPlan> _plans = new(StringComparer.Ordinal);

    /// <summary>Proves that there is a sandbox and that it works.</summary>
    /// <exception cref="SandboxUnavailableException">the message says what is missing</exception>
    public async Task<Protection> PrepareAsync(CancellationToken cancellation) => (await guard.GetAsync(cancellation)).Protection;

    /// <exception cref="OperationCanceledException">the program is dead, if it ran</exception>
    public async Task<CodeJudgement> JudgeAsync(CodeProblem problem, string completion, CancellationToken cancellation)
    {
        try
        {
            var sandbox = await guard.GetAsync(cancellation);
            return await PlanAsync(sandbox, problem, cancellation) switch
            {
                TestPlan.Refused refused => new CodeJudgement.Fault($"tests that cannot be judged: {refused.Cause}"),
                TestPlan.Apart apart => await JudgeAsync(sandbox, problem, completion, apart, cancellation),
                TestPlan.Whole whole => await JudgeAsync(sandbox, problem, completion, whole, cancellation),
                var plan => throw new InvalidOperationException($"a plan of the form {plan.GetType().Name}"),
            };
        }
        catch (FaultException fault)
        {
            return new CodeJudgement.Fault(fault.Message);
        }
        catch (SandboxUnavailableException missing)
        {
            return new CodeJudgement.Fault(missing.Message);
        }
        catch (ObjectDisposedException)
        {
            return new CodeJudgement.Fault("the sandbox failed its hourly test while this waited for it");
        }
    }

    /// <summary>How a problem's tests are judged; in tests and figures.</summary>
    internal async Task<TestPlan> PlanAsync(CodeProblem problem, CancellationToken cancellation) => await PlanAsync(await guard.GetAsync(cancellation), problem, cancellation);

    public ValueTask DisposeAsync() => guard.DisposeAsync();

    private async Task<TestPlan> PlanAsync(PythonSandbox sandbox, CodeProblem problem, CancellationToken cancellation)
    {
        var key = problem.ToReference();
        if (_plans.TryGetValue(key, out var known)) return known;
        var result = await sandbox.RunAsync(CodePrograms.TakeApart(problem), cancellation);
        TestPlan plan = result switch
        {
            SandboxResult.Exited { Code: 0 } exited => TestPlan.Read(Text(exited.Output)),
            SandboxResult.Exited exited => new TestPlan.Refused($"taking them apart ended with {exited.Code}: {Tail(exited.Errors)}"),
            SandboxResult.Fault fault => throw new FaultException(fault.Cause),
            _ => new TestPlan.Refused($"taking them apart ended by {result.GetType().Name}"),
        };
        if (_plans.Count >= MostPlans) _plans.Clear();
        return _plans[key] = plan;
    }

    private static async Task<CodeJudgement> JudgeAsync(PythonSandbox sandbox, CodeProblem problem, string completion, TestPlan.Apart plan, CancellationToken cancellation)
    {
        var (over, syntax, results) = await ResultsAsync(sandbox, problem, completion, [.. plan.Tests.Select(test => test.Call)], cancellation);
        return over is not null ? over : new CodeJudgement.Judged(syntax, plan.Tests.Zip(results).Count(pair => pair.First.Passes(pair.Second)), plan.Tests.Length, Trusted: true);
    }

    private static async Task<CodeJudgement> JudgeAsync(PythonSandbox sandbox, CodeProblem problem, string completion, TestPlan.Whole plan, CancellationToken cancellation)
    {
        var (over, syntax, results) = await ResultsAsync(sandbox, problem, completion, plan.Calls, cancellation);
        if (over is not null) return over;
        if (!syntax || results.IsEmpty) return new CodeJudgement.Judged(syntax, 0, plan.Tests, Trusted: false);
        var passed = await sandbox.RunAsync(CodePrograms.Decide(problem, plan.Calls, results), cancellation) switch
        {
            SandboxResult.Exited { Code: 0 } exited => Passed(Text(exited.Output)),
            SandboxResult.Fault fault => throw new FaultException(fault.Cause),
            // Values that make the tests themselves run over a limit are no right ones.
            _ => 0,
        };
        return new CodeJudgement.Judged(true, Math.Min(passed, plan.Tests), plan.Tests, Trusted: false);
    }

    /// <summary>What a completion's program gives for each call, as far as it gets; none where it says more than there are calls, because then it writes by itself.</summary>
    private static async Task<(CodeJudgement.OverLimit? Over, bool Syntax, ImmutableArray<PyValue> Results)> ResultsAsync(PythonSandbox sandbox, CodeProblem problem, string completion, ImmutableArray<string> calls, CancellationToken cancellation)
    {
        var setup = problem is CodeProblem.Mbpp list ? list.Setup : "";
        switch (await sandbox.RunAsync(CodePrograms.RunCalls(CompletionCode.Program(problem, completion), setup, calls), cancellation))
        {
            case SandboxResult.Timeout: return (new("timeout"), false, []);
            case SandboxResult.OutOfMemory: return (new("out-of-memory"), false, []);
            case SandboxResult.OutputLimit: return (new("output-limit"), false, []);
            case SandboxResult.Fault fault: throw new FaultException(fault.Cause);
            case SandboxResult.Exited exited:
                var lines = Text(exited.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                if (lines is not ["parsed", .. var told]) return (null, false, []);
                return (null, true, told.Length > calls.Length ? [] : [.. told.Select(PyValue.Read).TakeWhile(value => value is not null).Select(value => value!)]);
            case var other: throw new InvalidOperationException($"a result of the form {other.GetType().Name}");
        }
    }

    private static int Passed(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.GetProperty("results").EnumerateArray().Count(result => result.GetBoolean());
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string Tail(byte[] errors) => Text(errors).Trim() is var text && text.Length > 300 ? text[^300..] : text;

    /// <summary>The sandbox failed under a program.</summary>
    private sealed class FaultException(string message) : Exception(message);
}
