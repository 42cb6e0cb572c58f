using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>Finds out what an answer is: words, a list, an interval, a matrix, an equation or a formula. What it does not understand is spelled.</summary>
internal static partial class AnswerReader
{
    private const int MaxDepth = 12;

    /// <summary>Without what only sets the type, braces around single tokens, and the full stop of a sentence.</summary>
    public static IReadOnlyList<Token>? Tokens(string text)
    {
        if (Lexer.Read(text) is not { } tokens) return null;
        var end = tokens.Count;
        while (end > 0 && tokens[end - 1].Kind == TokenKind.Sign && tokens[end - 1].Text is "." or "," or ";" or ":") end--;
        return [.. tokens.Take(end)];
    }

    public static Answer Read(string text, IReadOnlyList<Token> tokens, int depth = 0)
    {
        if (IsWords(text) || (tokens.Count > 0 && tokens.All(token => token.Kind == TokenKind.Words || token.Text is "-" or "'" or ".")))
        {
            var words = string.Join(' ', tokens.Select(token => token.Text));
            // \text{(A)} and \text{12} are what they hold.
            if (depth < MaxDepth && tokens is [{ Kind: TokenKind.Words }] && !IsWords(words) && Tokens(words) is { Count: > 0 } held && !(held is [{ Kind: TokenKind.Words } again] && again.Text == words)) return Read(words, held, depth + 1);
            return new Answer.Words(Plain(IsWords(text) ? text : words));
        }

        return Read(tokens, depth);
    }

    private static Answer Read(IReadOnlyList<Token> tokens, int depth)
    {
        tokens = Unwrapped(tokens);
        if (tokens.Count == 0 || depth > MaxDepth) return Spelled(tokens);
        if (Split(tokens, token => token.Is(",") || token.Is(";") || (token.Kind == TokenKind.Words && token.Text is "and" or "or")) is { Count: > 1 } items) return SetOf(items, depth);
        if (Related(tokens, depth) is { } related) return related;
        if (Split(tokens, token => token.IsCommand("cup")) is { Count: > 1 } parts) return new Answer.Union([.. parts.Select(part => Read(part, depth + 1))]);
        return Bracketed(tokens, depth) ?? Matrices.Read(tokens, cell => Read(cell, depth + 1)) ?? Numeral(tokens) ?? Value(tokens);
    }

    private static Answer SetOf(IReadOnlyList<IReadOnlyList<Token>> items, int depth)
    {
        // "1, 2, and 3" has nothing between its second comma and its "and".
        var told = items.Where(item => item.Count > 0).ToList();
        return new Answer.Set([.. told.Select(item => Read(item, depth + 1))]);
    }

    private static Answer? Related(IReadOnlyList<Token> tokens, int depth)
    {
        var signs = tokens.Where((token, i) => token.Kind == TokenKind.Sign && token.Text is "=" or "<" or ">" or "<=" or ">=" or "!=" || token.IsCommand("in")).Select(token => token.Text).ToList();
        if (signs.Count == 0) return null;
        var sides = Split(tokens, token => signs.Contains(token.Text) && token.Kind is TokenKind.Sign or TokenKind.Command);
        return sides.Count == signs.Count + 1 && sides.All(side => side.Count > 0) ? Relations.Read(sides, signs, side => Read(side, depth + 1)) : null;
    }

    private static Answer? Bracketed(IReadOnlyList<Token> tokens, int depth)
    {
        if (tokens.Count == 1 && (tokens[0].IsCommand("emptyset") || tokens[0].IsCommand("varnothing"))) return new Answer.Set([]);
        if (tokens.Count < 2 || tokens[0].Nesting != 1 || tokens[0].Kind != TokenKind.Sign || Close(tokens, 0) != tokens.Count - 1) return null;
        var (open, close) = (tokens[0].Text, tokens[^1].Text);
        var inner = Slice(tokens, 1, tokens.Count - 2);
        if (open == @"\{")
        {
            // A set that is described, {x | x > 0}, is spelled.
            if (inner.Any(token => token.Is("|") || token.Is(":"))) return Spelled(tokens);
            return inner.Count == 0 ? new Answer.Set([]) : SetOf(Split(inner, token => token.Is(",") || token.Is(";")), depth);
        }

        var items = Split(inner, token => token.Is(",") || token.Is(";"));
        return items.Count > 1 && items.All(item => item.Count > 0) ? new Answer.Bracketed(open, close, [.. items.Select(item => Read(item, depth + 1))]) : null;
    }

    /// <summary>Digits with a base below them.</summary>
    private static Answer.Numeral? Numeral(IReadOnlyList<Token> tokens)
    {
        var sign = tokens is [var first, ..] && first.Is("-") ? "-" : "";
        if (sign.Length > 0) tokens = Slice(tokens, 1, tokens.Count - 1);
        var below = tokens.Index().FirstOrDefault(pair => pair.Item.Is("_")).Index;
        if (below == 0) return null;
        var digits = string.Concat(tokens.Take(below).Select(token => token.Text));
        var at = Slice(tokens, below + 1, tokens.Count - below - 1).Where(token => !token.Is("{") && !token.Is("}") && !token.Is("(") && !token.Is(")")).ToList();
        if (at is not [{ Kind: TokenKind.Number, Value: { IsInteger: true } value }]) return null;
        if (tokens[0].Kind != TokenKind.Number || !tokens.Take(below).All(token => token.Kind is TokenKind.Number or TokenKind.Letter) || digits.Length > Decimals.MaxDigits) return null;
        return new Answer.Numeral(sign + digits.TrimStart('0').ToUpperInvariant(), value);
    }

    private static Answer Value(IReadOnlyList<Token> tokens)
    {
        if (tokens.All(token => token.Kind == TokenKind.Words)) return new Answer.Words(Plain(string.Join(' ', tokens.Select(token => token.Text))));
        var (formula, unit) = Units.Split(tokens);
        if (FormulaParser.Parse(formula) is not { } plus) return Spelled(tokens);
        var value = new Answer.Value(plus, unit);
        return formula.Any(token => token.IsCommand("pm") || token.IsCommand("mp")) && FormulaParser.Parse(formula, plusMinus: -1) is { } minus
            ? new Answer.Set([value, new Answer.Value(minus, unit)])
            : value;
    }

    private static Answer.Spelled Spelled(IReadOnlyList<Token> tokens) => new(Spelling.Of(tokens));

    /// <summary>Without braces around all of it.</summary>
    private static IReadOnlyList<Token> Unwrapped(IReadOnlyList<Token> tokens)
    {
        while (tokens.Count > 1 && tokens[0].Is("{") && Close(tokens, 0) == tokens.Count - 1) tokens = Slice(tokens, 1, tokens.Count - 2);
        return tokens;
    }

    /// <summary>The index of what closes the bracket that opens at an index; -1 where nothing does.</summary>
    private static int Close(IReadOnlyList<Token> tokens, int open)
    {
        var depth = 0;
        for (var i = open; i < tokens.Count; i++)
            if ((depth += tokens[i].Nesting) == 0) return i;
        return -1;
    }

    /// <summary>What stands between separators that no bracket encloses.</summary>
    internal static List<IReadOnlyList<Token>> Split(IReadOnlyList<Token> tokens, Func<Token, bool> separates)
    {
        var (parts, begin, depth) = (new List<IReadOnlyList<Token>>(), 0, 0);
        for (var i = 0; i < tokens.Count; i++)
        {
            depth += tokens[i].Nesting;
            if (depth != 0 || !separates(tokens[i])) continue;
            parts.Add(Slice(tokens, begin, i - begin));
            begin = i + 1;
        }

        parts.Add(Slice(tokens, begin, tokens.Count - begin));
        return parts;
    }

    internal static IReadOnlyList<Token> Slice(IReadOnlyList<Token> tokens, int begin, int count) => [.. tokens.Skip(begin).Take(count)];

    private static string Plain(string text) => Spaces().Replace(text.Trim().TrimEnd('.').ToLowerInvariant(), " ");

    /// <summary>Letters alone, and more than names of functions and products of two variables.</summary>
    private static bool IsWords(string text) => LettersAlone().IsMatch(text) && Runs().Matches(text).Any(run => !Vocabulary.Names.ContainsKey(run.Value) && (run.Length > 2 && run.Value is not ("and" or "or") || Vocabulary.ShortWords.Contains(run.Value.ToLowerInvariant())));

    [GeneratedRegex(@"^[A-Za-z' .-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex LettersAlone();

    [GeneratedRegex("[A-Za-z]+", RegexOptions.NonBacktracking)]
    private static partial Regex Runs();

    [GeneratedRegex(@"\s+", RegexOptions.NonBacktracking)]
    private static partial Regex Spaces();
}
