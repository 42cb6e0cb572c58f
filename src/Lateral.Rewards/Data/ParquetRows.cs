using System.Collections.Immutable;
using System.Text.Json;
using Parquet;
using Parquet.Serialization;

namespace Lateral.Rewards.Data;

/// <summary>Parquet, one row group in memory at a time; structures and lists become JSON's.</summary>
internal static class ParquetRows
{
    public static IEnumerable<DataLine> Read(string path)
    {
        using var file = RowFile.Open(path);
        var (groups, row) = (Wait(path, RowGroupsAsync(file)), 0);
        for (var group = 0; group < groups; group++)
        {
            file.Position = 0;
            foreach (var values in Wait(path, ParquetSerializer.DeserializeUntypedAsync(file, rowGroupIndex: group)).Data)
            {
                row++;
                yield return new DataLine(path, row, JsonSerializer.Serialize(values)) { Columns = values.Keys.Index().ToImmutableDictionary(column => column.Item, column => column.Index + 1) };
            }
        }
    }

    private static async Task<int> RowGroupsAsync(Stream file)
    {
        await using var reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true).ConfigureAwait(false);
        return reader.RowGroupCount;
    }

    /// <summary>The library reads local files in tasks; rows are asked for one by one.</summary>
    private static T Wait<T>(string path, Task<T> reading)
    {
        try
        {
            return RowFile.Explain(path, () => reading.GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is ParquetException or NotSupportedException or InvalidOperationException or OverflowException or IndexOutOfRangeException)
        {
            throw new DataException(path, 0, 0, "is no Parquet file that can be read", e.Message, "write it again, or convert it to JSON lines");
        }
    }
}
