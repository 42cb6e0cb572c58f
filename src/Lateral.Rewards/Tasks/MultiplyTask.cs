using System.Collections.Immutable;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// Products of numbers with so many digits, with the partial products as thoughts or without.
/// Example: <c>prompt "12*34=", answer "0048;0360;0408." (without thoughts "0408."), reference "0408"</c>.
/// </summary>
/// <remarks>
/// One pair in eight is held out. Numbers have no leading zero; thoughts and answer are zero-padded to the digits that the largest product can have, so every completion
/// has exactly <see cref="GenLength"/> characters and there is no end token.
/// </remarks>
public sealed class MultiplyTask : ITask
{
    private readonly MultiplySettings _settings;
    private readonly CounterRandom _random;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public MultiplyTask(MultiplySettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        _random = new CounterRandom(seed);
        _items = new ItemSource(_random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => MultiplyText.Alphabet;

    public int GenLength => (_settings.Thoughts ? _settings.RightDigits + 1 : 1) * _settings.ThoughtLength;

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem Corpus(long index) => _items.Corpus(index);

    public TaskItem HeldOut(int index) => _heldOut[index];

    public string? FinalAnswer(string completion) => MultiplyText.FinalAnswer(completion);

    private TaskItem? Attempt(Draws draws)
    {
        var (left, right) = (Number(draws, _settings.LeftDigits, 0), Number(draws, _settings.RightDigits, 1));
        if (KeyedSplit.SideOf(_random, (left * 10_000) + right) != draws.Side) return null;
        var digits = _settings.ThoughtLength - 1;
        var product = MultiplyText.Number(left * right, digits);
        var thoughts = _settings.Thoughts ? MultiplyText.PartialProducts(left, right).Select(partial => MultiplyText.Number(partial, digits) + MultiplyText.Thought) : [];
        return new TaskItem(MultiplyText.Prompt(left, right), string.Concat(thoughts) + product + MultiplyText.End, product);
    }

    private static long Number(Draws draws, int digits, int position)
    {
        var least = (int)Math.Pow(10, digits - 1);
        return least + draws.Below(9 * least, position);
    }
}
