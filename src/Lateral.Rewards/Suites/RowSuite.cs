using System.Collections.Immutable;
using Lateral.Rewards.Data;

namespace Lateral.Rewards.Suites;

/// <summary>A suite whose file has a JSON object a line.</summary>
/// <param name="example">a right row, for whoever wrote a wrong one</param>
internal abstract class RowSuite(string name, string example) : ISuite
{
    public string Name => name;

    public abstract IReadOnlyList<string> Rules { get; }

    public ImmutableArray<SuiteItem> Read(string path)
    {
        var items = ImmutableArray.CreateBuilder<SuiteItem>();
        foreach (var line in DataFiles.Lines(path))
        {
            using var row = JsonRow.Of(line, example);
            items.Add(Item(row, $"{name}/{items.Count}"));
        }

        return items.Count > 0 ? items.ToImmutable() : throw new DataException(path, 0, 0, "has no rows", "there is nothing to evaluate", "check that this is the file you mean");
    }

    public abstract ImmutableArray<bool> Judge(SuiteItem item, string completion);

    public virtual IReadOnlyDictionary<string, string>? Submission(SuiteItem item, string completion) => null;

    /// <param name="id">where the row has none of its own</param>
    private protected abstract SuiteItem Item(JsonRow row, string id);
}
