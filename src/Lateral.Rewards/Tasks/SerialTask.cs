using System.Collections.Immutable;
using System.Globalization;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// A ball under one of five cups, and swaps of two cups: after every swap, under which cup is it? Swaps compose to any permutation of five, whose word problem is complete for what
/// constant depth cannot do (NC1; Barrington 1989), so an answer in few denoising steps has to be a guess where the swaps are many.
/// Example (3 swaps; c swaps cups 0 and 3, e cups 1 and 2): <c>prompt "0cec", answer "330", reference "0"</c>.
/// </summary>
/// <remarks>One prompt in eight is held out. A completion has exactly <see cref="GenLength"/> digits: there is no end token.</remarks>
public sealed class SerialTask : ITask
{
    private readonly CounterRandom _random;
    private readonly SerialSettings _settings;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public SerialTask(SerialSettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        _random = new CounterRandom(seed);
        _items = new ItemSource(_random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => CupSwaps.Cups + CupSwaps.Letters;

    public int GenLength => _settings.Worked ? _settings.Swaps : 1;

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem HeldOut(int index) => _heldOut[index];

    public TaskItem Corpus(long index) => _items.Corpus(index);

    public string? FinalAnswer(string completion) => completion.Length == 0 ? null : completion[^1..];

    private TaskItem? Attempt(Draws draws)
    {
        var start = draws.Below(CupSwaps.Cups.Length, 0);
        var swaps = string.Concat(Enumerable.Range(1, _settings.Swaps).Select(i => CupSwaps.Letters[draws.Below(CupSwaps.Letters.Length, i)]));
        var prompt = start.ToString(CultureInfo.InvariantCulture) + swaps;
        if (KeyedSplit.SideOf(_random, prompt) != draws.Side) return null;
        var places = CupSwaps.Follow(prompt);
        return new TaskItem(prompt, _settings.Worked ? places : places[^1..], places[^1..]);
    }
}

/// <summary>The ten swaps of two of five cups.</summary>
public static class CupSwaps
{
    public const string Cups = "01234", Letters = "abcdefghij";

    private static readonly ImmutableArray<(char, char)> Pairs = [.. Cups.SelectMany((first, i) => Cups[(i + 1)..].Select(second => (first, second)))];

    /// <summary>The ball's cup after each swap of a prompt.</summary>
    public static string Follow(string prompt)
    {
        var (cup, places) = (prompt[0], new char[prompt.Length - 1]);
        for (var i = 0; i < places.Length; i++)
        {
            var (a, b) = Pairs[Letters.IndexOf(prompt[i + 1], StringComparison.Ordinal)];
            places[i] = cup = cup == a ? b : cup == b ? a : cup;
        }

        return new string(places);
    }
}
