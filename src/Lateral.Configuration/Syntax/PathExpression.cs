using System.Text;

namespace Lateral.Configuration;

/// <summary>
/// Splits the text of a key or substitution into path elements. Dots split only where they are unquoted:
/// <c>a."b.c".10.5</c> is [a, b.c, 10, 5], and <c>a b.c</c> is ["a b", c]. Null after a reported mistake.
/// </summary>
internal static class PathExpression
{
    public static List<string>? Parse(IReadOnlyList<Token> text, Diagnostics diagnostics)
    {
        var keys = new List<string>();
        var key = new StringBuilder();
        var hasKey = false;
        var end = text.Count;
        while (end > 0 && text[end - 1].Kind == TokenKind.Space) end--;
        for (var i = 0; i < end; i++)
        {
            var token = text[i];
            if (token.Kind == TokenKind.Space)
            {
                if (hasKey) key.Append(token.Text);
                continue;
            }

            if (token.Kind == TokenKind.Quoted)
            {
                key.Append(token.Text);
                hasKey = true;
                continue;
            }

            foreach (var c in token.Text)
            {
                if (c != '.')
                {
                    key.Append(c);
                    hasKey = true;
                }
                else if (!Take())
                {
                    return Empty();
                }
            }
        }

        return Take() ? keys : Empty();

        bool Take()
        {
            if (!hasKey) return false;
            keys.Add(key.ToString());
            key.Clear();
            hasKey = false;
            return true;
        }

        List<string>? Empty()
        {
            diagnostics.Report(text[0].Origin, $"'{string.Concat(text.Select(t => t.Text)).Trim()}' has an empty part - a path is names joined by single dots - remove the extra dot, or quote the name");
            return null;
        }
    }
}
