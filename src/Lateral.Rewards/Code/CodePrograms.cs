using System.Text;
using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Code;

/// <summary>The programs of ours that run in sandboxes, with what they are given.</summary>
internal static class CodePrograms
{
    private static readonly string Plain = EmbeddedPython.Text("plain.py");
    private static readonly string Calls = Plain + EmbeddedPython.Text("run_calls.py");
    private static readonly string Apart = Plain + EmbeddedPython.Text("take_apart.py");

    /// <summary>A model's program, what runs behind it, and expressions to evaluate in it.</summary>
    public static SandboxJob RunCalls(string program, string setup, IEnumerable<string> calls) => new(Calls, Pieces([program, setup, .. calls]));

    /// <summary>A problem's tests without any program.</summary>
    public static SandboxJob TakeApart(CodeProblem problem) => new(Apart, Pieces(["", .. Told(problem)]));

    /// <summary>The same tests with what a program's calls gave.</summary>
    public static SandboxJob Decide(CodeProblem problem, IReadOnlyList<string> calls, IReadOnlyList<PyValue> results)
    {
        var answers = calls.Zip(results).GroupBy(pair => pair.First, pair => PyLiteral.Of(pair.Second), StringComparer.Ordinal);
        return new(Apart, Pieces([$"{{{string.Join(", ", answers.Select(answer => $"{PyLiteral.Quoted(answer.Key)}: [{string.Join(", ", answer)}]"))}}}", .. Told(problem)]));
    }

    private static string[] Told(CodeProblem problem) => problem switch
    {
        CodeProblem.HumanEval function => ["function", function.Prompt, function.EntryPoint, function.Test],
        CodeProblem.Mbpp list => ["list", list.Setup, "", .. list.Tests],
        _ => throw new InvalidOperationException($"a problem of the form {problem.GetType().Name}"),
    };

    private static byte[] Pieces(string[] texts)
    {
        byte[][] pieces = [.. texts.Select(Encoding.UTF8.GetBytes)];
        return [.. Encoding.ASCII.GetBytes(string.Join(' ', pieces.Select(piece => piece.Length)) + "\n"), .. pieces.SelectMany(piece => piece)];
    }
}
