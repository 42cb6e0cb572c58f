using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;

namespace Lateral.Rewards.Data;

/// <summary>Comma-separated values with a header (RFC 4180); every value is text.</summary>
internal static class CsvRows
{
    private static readonly CsvConfiguration Grammar = new(CultureInfo.InvariantCulture) { BadDataFound = null, Mode = CsvMode.RFC4180 };

    public static IEnumerable<DataLine> Read(string path)
    {
        using var reader = new StreamReader(RowFile.Open(path));
        using var parser = new CsvParser(reader, Grammar);
        if (!RowFile.Explain(path, parser.Read)) yield break;
        string[] header = [.. parser.Record!.Select(name => name.Trim())];
        if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var repeated })
            throw new DataException(path, 1, 1, $"has the column '{repeated}' twice", "a row's values are asked for by name", "rename one of them");
        while (RowFile.Explain(path, parser.Read))
        {
            // The parser knows the record's last line; a value in quotes may have several.
            var (record, line) = (parser.Record!, parser.RawRow - parser.RawRecord.TrimEnd().Count('\n'));
            if (record is [var only] && string.IsNullOrWhiteSpace(only)) continue;
            if (record.Length != header.Length)
                throw new DataException(path, line, 1, $"has {record.Length} columns", $"the header has {header.Length}: {string.Join(',', header)}", "quote values that hold commas, and double the quotes inside");
            yield return new DataLine(path, line, JsonSerializer.Serialize(header.Zip(record).ToDictionary())) { Columns = Columns(header, parser.RawRecord) };
        }
    }

    /// <summary>Where the values begin; in a record with quotes only the first is known.</summary>
    private static ImmutableDictionary<string, int> Columns(string[] header, string raw)
    {
        var columns = ImmutableDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        var (plain, at) = (!raw.Contains('"', StringComparison.Ordinal), 1);
        foreach (var (name, text) in header.Zip(plain ? raw.Split(',') : header))
        {
            columns[name] = plain ? at : 1;
            at += text.Length + 1;
        }

        return columns.ToImmutable();
    }
}
