using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Data;

/// <summary>What models are told beside a row's own prompt: the formats' instructions, and templates that any format may take.</summary>
internal static class Instructions
{
    /// <summary>Of d1 (arXiv 2504.12216): thoughts and answer in tags, which its rewards look for.</summary>
    private const string Tags = "Respond in this format:\n<reasoning>\n...\n</reasoning>\n<answer>\n...\n</answer>\n\n" + DataSettings.PromptMark;

    /// <summary>As ESPO (arXiv 2512.03759) and most sets of competition problems ask.</summary>
    private const string BoxedLast = DataSettings.PromptMark + "\nPlease reason step by step, and put your final answer within \\boxed{}.";

    /// <summary>As TraceRL (arXiv 2509.06949) puts it, before the problem.</summary>
    private const string BoxedFirst = "You need to put your final answer in \\boxed{}. This is the problem:\n" + DataSettings.PromptMark;

    private const string CodeBlock = DataSettings.PromptMark + "\nPlace your code within a single Python code block.";

    /// <summary>What a model is told of an item.</summary>
    /// <param name="template">a name of <see cref="DataSettings.Templates"/>, or a text with the place of the prompt</param>
    public static string Tell(RowFormat format, string template, TaskItem item) => template switch
    {
        "own" => format.Told?.Invoke(item) ?? item.Prompt,
        "plain" => item.Prompt,
        "tags" => Into(Tags, item),
        "boxed" => Into(BoxedLast, item),
        "boxed-first" => Into(BoxedFirst, item),
        "code-block" => Into(CodeBlock, item),
        _ => Into(template, item),
    };

    public static string GradeSchool(TaskItem item) => $"{item.Prompt}\n\nWork it out step by step. End with a line that holds #### and the number that is the answer, nothing else.";

    public static string Boxed(TaskItem item) => $"{item.Prompt}\n\nWork it out step by step and put the final answer into \\boxed{{}}.";

    public static string Function(TaskItem item) => $"Complete this Python function. Answer with the whole function in one code block.\n\n```python\n{item.Prompt}```";

    public static string Program(TaskItem item) => $"{item.Prompt}\n\nAnswer with one code block.";

    public static string Sudoku(TaskItem item) =>
        $"A 4x4 sudoku, row by row, 0 for an empty cell: {item.Prompt}\nEvery row, every column and every 2x2 box holds 1, 2, 3 and 4. Give the solved grid, row by row.\n\nThink first. Then write the answer as <answer>16 digits</answer>.";

    public static string Countdown(TaskItem item)
    {
        var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
        return $"Use each of the numbers {string.Join(", ", numbers)} exactly once, with + - * / and parentheses, to make {target}.\n\nThink first. Then write the answer as <answer>expression</answer>.";
    }

    private static string Into(string template, TaskItem item) => template.Replace(DataSettings.PromptMark, item.Prompt, StringComparison.Ordinal);
}
