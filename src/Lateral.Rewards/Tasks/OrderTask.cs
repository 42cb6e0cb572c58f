using System.Collections.Immutable;
using System.Globalization;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// Digits of which some determine others, at positions that the prompt gives: the order of revealing decides. The prompt has a sign for every position: under a capital
/// stands any digit, under each of its two small letters a function of that digit, and a digit stands for itself.
/// Example (A's small letters are a and b): <c>prompt "b3Aa", answer "4363"</c>.
/// </summary>
/// <remarks>
/// A capital and a small letter of it that are revealed in one step are drawn independently, and so are its two small letters as long as the capital is hidden: they fit by
/// luck. Capitals first, together with the copied digits, then the small letters always fits in two steps. That is not the order of certainty: copied digits are
/// certain, small letters are one of five, capitals one of ten. No order of positions is right either: the prompt shuffles them. One prompt in eight is
/// held out. A completion has exactly <see cref="GenLength"/> digits: there is no end token.
/// </remarks>
public sealed class OrderTask : ITask
{
    private readonly CounterRandom _random;
    private readonly OrderSettings _settings;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public OrderTask(OrderSettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        _random = new CounterRandom(seed);
        _items = new ItemSource(_random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => OrderSigns.Digits + OrderSigns.Capitals + OrderSigns.Small;

    public int GenLength => OrderSigns.PerCapital * _settings.Groups;

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem HeldOut(int index) => _heldOut[index];

    public TaskItem Corpus(long index) => _items.Corpus(index);

    private TaskItem? Attempt(Draws draws)
    {
        var at = 0;
        var capitals = OrderSigns.Capitals[.._settings.Groups].ToArray();
        var copied = capitals.Select(_ => OrderSigns.Digits[draws.Below(10, at++)]).ToArray();
        var prompt = new string(Shuffled([.. capitals, .. capitals.SelectMany(OrderSigns.SmallOf), .. copied]));
        if (KeyedSplit.SideOf(_random, prompt) != draws.Side) return null;
        var free = capitals.ToDictionary(capital => capital, _ => draws.Below(10, at++));
        return new TaskItem(prompt, string.Concat(prompt.Select(sign => OrderSigns.Under(sign, free[OrderSigns.CapitalOf(sign) ?? capitals[0]]).ToString(CultureInfo.InvariantCulture))), prompt);

        char[] Shuffled(char[] all)
        {
            for (var i = all.Length - 1; i > 0; i--)
            {
                var j = draws.Below(i + 1, at++);
                (all[i], all[j]) = (all[j], all[i]);
            }

            return all;
        }
    }
}

/// <summary>What the signs of a prompt mean.</summary>
public static class OrderSigns
{
    public const string Digits = "0123456789", Capitals = "ABCD", Small = "abcdefgh";

    /// <summary>Positions of a capital, its two small letters and a copied digit.</summary>
    public const int PerCapital = 4;

    /// <summary>Each a bijection of the ten digits before it is halved: a small letter tells two of its capital's digits apart from the other eight, and its sister other two.</summary>
    private static readonly int[] Factors = [1, 3];

    public static IEnumerable<char> SmallOf(char capital) => Small.Skip(2 * Capitals.IndexOf(capital, StringComparison.Ordinal)).Take(2);

    /// <summary>Null for a digit.</summary>
    public static char? CapitalOf(char sign) => char.IsAsciiLetterUpper(sign) ? sign : char.IsAsciiLetterLower(sign) ? Capitals[Small.IndexOf(sign, StringComparison.Ordinal) / 2] : null;

    /// <summary>The digit under a sign, by the digit under its capital.</summary>
    public static int Under(char sign, int capital)
    {
        if (char.IsAsciiDigit(sign)) return sign - '0';
        if (char.IsAsciiLetterUpper(sign)) return capital;
        var letter = Small.IndexOf(sign, StringComparison.Ordinal);
        return ((Factors[letter % 2] * capital) + letter) % 10 / 2;
    }
}
