using System.Collections.Immutable;

namespace Lateral.Rewards.Data;

/// <summary>
/// A data file that cannot be used. Example:
/// <c>test.csv:17:1 the puzzle has 15 characters - a 4x4 grid has 16 - write blanks as 0 and keep leading zeros</c>.
/// </summary>
/// <param name="line">1-based; 0 where the file as a whole is meant</param>
/// <param name="column">1-based; 0 where the line as a whole is meant</param>
public sealed class DataException(string file, int line, int column, string what, string why, string fix)
    : Exception($"{file}{(line > 0 ? $":{line}" : "")}{(column > 0 ? $":{column}" : "")} {what} - {why} - {fix}")
{
    public string File { get; } = file;

    public int Line { get; } = line;

    public int Column { get; } = column;
}

/// <summary>One line or row of a data file, able to say what is wrong with it.</summary>
internal readonly record struct DataLine(string File, int Number, string Text)
{
    /// <summary>Where the values begin that <see cref="Text"/> was made of, by name: the column in a CSV file's line, the ordinal of a Parquet file's column. Null = the text is the file's own.</summary>
    public ImmutableDictionary<string, int>? Columns { get; init; }

    public DataException Wrong(int column, string what, string why, string fix) => new(File, Number, column, what, why, fix);
}
