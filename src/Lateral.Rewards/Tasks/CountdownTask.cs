using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Lateral.Core;
using Lateral.Core.Prompts;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// Three numbers and a target; the answer is an expression that uses each number exactly once and has the target's value.
/// Example: <c>prompt "003,007,002=042", answer "3*7*2\n\n\n", reference "3,7,2=42"</c>.
/// </summary>
/// <remarks>
/// Problems are drawn as solved expressions, so each has a solution. One problem in eight is held out; the order of the
/// numbers does not matter to the split, because permuted numbers are the same problem.
/// </remarks>
public sealed class CountdownTask : ITask
{
    private readonly CountdownSettings _settings;
    private readonly CounterRandom _random;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public CountdownTask(CountdownSettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        _random = new CounterRandom(seed);
        GenLength = RoomFor(settings.MaxNumber);
        _items = new ItemSource(_random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => CountdownText.Alphabet;

    /// <summary>Room for three numbers, two operators, two parentheses and the end, rounded up to a multiple of 4 so that blocks divide it.</summary>
    public int GenLength { get; }

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem Corpus(long index) => _items.Corpus(index);

    public TaskItem HeldOut(int index) => _heldOut[index];

    private static int RoomFor(int maxNumber)
    {
        var digits = maxNumber.ToString(CultureInfo.InvariantCulture).Length;
        return (CountdownText.Numbers * digits + 2 + 2 + 1 + 3) / 4 * 4;
    }

    private TaskItem? Attempt(Draws draws)
    {
        int[] numbers = [.. Enumerable.Range(0, CountdownText.Numbers).Select(i => 1 + draws.Below(_settings.MaxNumber, i))];
        var expression = Combine(numbers, draws);
        if (expression.Value is not { IsInteger: true } value || value.Numerator < 1 || value.Numerator > _settings.MaxTarget) return null;

        var target = (int)value.Numerator;
        if (KeyedSplit.SideOf(_random, Key(numbers, target)) != draws.Side) return null;
        var answer = expression.ToString().PadRight(GenLength, CountdownText.End);
        return new TaskItem(CountdownText.Prompt(numbers, target), answer, CountdownText.Reference(numbers, target));
    }

    /// <summary>(a . b) . c or a . (b . c) over a random order of the numbers, with random operators.</summary>
    private Expression Combine(int[] numbers, Draws draws)
    {
        var first = draws.Below(3, 3);
        var swap = draws.Below(2, 4);
        var rest = numbers.Where((_, i) => i != first).ToArray();
        Expression a = Literal(numbers[first]), b = Literal(rest[swap]), c = Literal(rest[1 - swap]);
        char Operator(int position) => _settings.Operators[draws.Below(_settings.Operators.Length, position)];
        var (outer, inner) = (Operator(5), Operator(6));
        return draws.Below(2, 7) == 0
            ? new Expression.Operation(outer, new Expression.Operation(inner, a, b), c)
            : new Expression.Operation(outer, a, new Expression.Operation(inner, b, c));
    }

    private static Expression.Literal Literal(int number) => new(new BigInteger(number));

    private static long Key(int[] numbers, int target) =>
        numbers.Order().Append(target).Aggregate(0L, (key, number) => key * (CountdownText.Largest + 1) + number);
}
