using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>What a data set's columns are, and what becomes of a row.</summary>
/// <param name="Name">as <c>data.format</c> has it</param>
/// <param name="Example">a right row, for whoever wrote a wrong one</param>
/// <param name="Item">a row to prompt, answer and reference</param>
/// <param name="Told">what a model is told of it; null = the prompt as it stands</param>
internal sealed record RowFormat(string Name, string Example, Func<JsonRow, DataColumns, TaskItem> Item, Func<TaskItem, string>? Told = null)
{
    /// <summary>What two completions are told apart by when they vote; null = all of them.</summary>
    public Func<string, string?>? FinalAnswer { get; init; }

    /// <exception cref="DataException">the row is not of this format</exception>
    public TaskItem Read(DataLine line, DataColumns columns)
    {
        using var row = JsonRow.Of(line, Example);
        return Item(row, columns);
    }
}
