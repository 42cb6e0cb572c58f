using System.Collections.Immutable;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>Matrices and vectors: <c>\begin{pmatrix} 1 &amp; 2 \\ 3 &amp; 4 \end{pmatrix}</c>.</summary>
internal static class Matrices
{
    /// <returns>null where the tokens are none</returns>
    public static Answer.Grid? Read(IReadOnlyList<Token> tokens, Func<IReadOnlyList<Token>, Answer> read)
    {
        if (tokens.Count < 3 || tokens[0].Kind != TokenKind.Command || tokens[^1].Kind != TokenKind.Command) return null;
        var kind = tokens[0].Text switch
        {
            "begin:pmatrix" or "begin:bmatrix" or "begin:matrix" or "begin:smallmatrix" => "matrix",
            "begin:vmatrix" => "vmatrix",
            _ => null,
        };
        if (kind is null || tokens[^1].Text != tokens[0].Text.Replace("begin:", "end:", StringComparison.Ordinal)) return null;
        var rows = AnswerReader.Split(AnswerReader.Slice(tokens, 1, tokens.Count - 2), token => token.Is(@"\\"));
        // The last row may end like the others.
        if (rows[^1].Count == 0) rows.RemoveAt(rows.Count - 1);
        return new Answer.Grid(kind, [.. rows.Select(row => (ImmutableArray<Answer>)[.. AnswerReader.Split(row, token => token.Is("&")).Select(read)])]);
    }
}
