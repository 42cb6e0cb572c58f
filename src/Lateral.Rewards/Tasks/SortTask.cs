using System.Collections.Immutable;
using System.Globalization;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// Random digits, answered by the same digits in ascending order. A share of the corpus answers is in descending order, so
/// a model that learns the corpus well is mediocre for a visible reason and parallel decoding mixes the two habits.
/// Example: <c>prompt "31415", answer "11345" (or "54311" in the corpus), reference "11345"</c>.
/// </summary>
/// <remarks>One prompt in eight is held out. Every completion has exactly <see cref="GenLength"/> digits: there is no end token.</remarks>
public sealed class SortTask : ITask
{
    /// <summary>The sibling field of the habit's coin; the draws of items use 0 and 1.</summary>
    private const int HabitPurpose = 2;

    private readonly CounterRandom _random;
    private readonly SortSettings _settings;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public SortTask(SortSettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        _random = new CounterRandom(seed);
        _items = new ItemSource(_random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => "0123456789";

    public int GenLength => _settings.Length;

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem HeldOut(int index) => _heldOut[index];

    public TaskItem Corpus(long index)
    {
        var item = _items.Corpus(index);
        var descending = _random.Uniform(RandomStream.Corpus, index, HabitPurpose) < _settings.DescendingFraction;
        return descending ? item with { Answer = string.Concat(item.Answer.Reverse()) } : item;
    }

    private TaskItem? Attempt(Draws draws)
    {
        var prompt = string.Create(_settings.Length, draws, (digits, source) =>
        {
            for (var i = 0; i < digits.Length; i++) digits[i] = (char)('0' + source.Below(10, i));
        });
        if (KeyedSplit.SideOf(_random, long.Parse(prompt, CultureInfo.InvariantCulture)) != draws.Side) return null;
        var ascending = string.Concat(prompt.Order());
        return new TaskItem(prompt, ascending, ascending);
    }
}
