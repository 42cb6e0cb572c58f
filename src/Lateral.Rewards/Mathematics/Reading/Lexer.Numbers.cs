using System.Globalization;
using System.Text;

namespace Lateral.Rewards.Mathematics.Reading;

/// <content>Numbers.</content>
internal sealed partial class Lexer
{
    private bool Number()
    {
        var start = _at;
        var digits = new StringBuilder();
        void Take()
        {
            while (char.IsAsciiDigit(Next())) digits.Append(_text[_at++]);
        }

        Take();
        // No more than three digits stand before the first separator.
        while (digits.Length > 0 && (digits.Length <= 3 || _at > start + digits.Length) && Separator() is var length and > 0)
        {
            _at += length;
            Take();
        }

        if (Next() == '.' && char.IsAsciiDigit(Next(1)))
        {
            digits.Append('.');
            _at++;
            Take();
        }

        var (shift, repeated) = (Exponent(), digits.ToString().Contains('.', StringComparison.Ordinal) || Next() == '.' ? Repeated(digits) : "");
        if (Decimals.Read(digits.ToString(), shift, repeated) is not { } value) return false;
        Add(TokenKind.Number, shift == 0 && repeated.Length == 0 ? digits.ToString() : _text[start.._at]);
        _tokens[^1] = _tokens[^1] with { Value = value };
        return true;
    }

    /// <summary>How long a separator of thousands is: what stands between digits and exactly three more.</summary>
    private int Separator()
    {
        foreach (var form in (string[])[@",\!", "{,}", @"\,", ","])
        {
            if (string.CompareOrdinal(_text, _at, form, 0, form.Length) != 0 || (form == "," && _brackets > 0)) continue;
            var three = Enumerable.Range(form.Length, 3).All(ahead => char.IsAsciiDigit(Next(ahead))) && !char.IsAsciiDigit(Next(form.Length + 3));
            return three ? form.Length : 0;
        }

        return 0;
    }

    /// <summary>1.5e-3.</summary>
    private int Exponent()
    {
        if (Next() is not ('e' or 'E')) return 0;
        var begin = Next(1) is '+' or '-' ? 2 : 1;
        var end = begin;
        while (char.IsAsciiDigit(Next(end))) end++;
        if (end == begin || char.IsAsciiLetter(Next(end)) || !int.TryParse(_text.AsSpan(_at + 1, end - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var shift)) return 0;
        _at += end;
        return shift;
    }

    /// <summary>0.1\overline{6}.</summary>
    private string Repeated(StringBuilder digits)
    {
        var point = Next() == '.' ? 1 : 0;
        foreach (var form in (string[])[@"\overline{", @"\bar{", @"\dot{"])
        {
            if (string.CompareOrdinal(_text, _at + point, form, 0, form.Length) != 0) continue;
            var begin = _at + point + form.Length;
            var end = _text.IndexOf('}', begin);
            if (end < 0 || end == begin || !_text[begin..end].All(char.IsAsciiDigit)) return "";
            if (point > 0) digits.Append('.');
            _at = end + 1;
            return _text[begin..end];
        }

        return "";
    }
}
