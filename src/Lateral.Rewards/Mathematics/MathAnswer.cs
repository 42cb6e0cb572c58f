using Lateral.Rewards.Mathematics.Algebra;
using Lateral.Rewards.Mathematics.Forms;
using Lateral.Rewards.Mathematics.Reading;

namespace Lateral.Rewards.Mathematics;

/// <summary>
/// A final answer in LaTeX or plain text, read once, to be compared with others. Equality is exact: fractions of whole numbers of any size, roots, pi, i, polynomials and their quotients in a normal form (<see cref="NormalForm"/>),
/// lists and sets without order, points, intervals and matrices in order. What is beyond it is equal where it is spelled alike.
/// </summary>
/// <remarks>
/// Lenient on purpose: <c>x = 5</c> is 5; a unit counts only where both answers have a known one, so <c>10\%</c> is 10 and <c>10^\circ</c>, which are not each other; therefore equality is reflexive and symmetric, not transitive.
/// Strict on purpose: 0.333 is not 1/3, 10% is not 0.1, 101_2 is not 5, and (1, 2) is not 1, 2.
/// Work is bounded: at most <see cref="MaxLength"/> characters are understood, and a comparison that would cost more than <see cref="Budget.Usual"/> units is decided by spelling.
/// </remarks>
public sealed class MathAnswer
{
    /// <summary>Characters of an answer that is understood; of a longer one only the spelling counts.</summary>
    public const int MaxLength = 2_000;

    private readonly string _spelling;
    private readonly Answer _answer;

    private MathAnswer(string spelling, Answer answer) => (_spelling, _answer) = (spelling, answer);

    /// <summary>Never fails: what is no answer of mathematics is text.</summary>
    public static MathAnswer Read(string text)
    {
        if (text.Length > MaxLength || AnswerReader.Tokens(text) is not { } tokens) return Spelled(string.Concat(text.Where(character => !char.IsWhiteSpace(character))));
        return new(Spelling.Of(tokens), AnswerReader.Read(text, tokens));

        static MathAnswer Spelled(string spelling) => new(spelling, new Answer.Spelled(spelling));
    }

    public static bool AreEqual(string a, string b) => Read(a).IsEqualTo(Read(b));

    public bool IsEqualTo(MathAnswer other)
    {
        if (_spelling == other._spelling) return true;
        // In one order, so that a budget that runs out runs out both ways.
        var (first, second) = string.CompareOrdinal(_spelling, other._spelling) < 0 ? (this, other) : (other, this);
        return new Equality(new Budget(Budget.Usual)).Same(first._answer, second._answer);
    }
}
