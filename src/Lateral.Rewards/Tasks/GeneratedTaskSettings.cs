namespace Lateral.Rewards.Tasks;

/// <summary>What a generated task is made of.</summary>
/// <param name="HeldOutPrompts">distinct prompts kept for evaluation; 1 .. 65,536, because they are drawn as soon as the settings are read</param>
public abstract record GeneratedTaskSettings(int HeldOutPrompts)
{
    /// <exception cref="TaskSettingException">a value is out of its range</exception>
    internal virtual void Check() => Require(HeldOutPrompts is >= 1 and <= 65_536, "held-out-prompts", HeldOutPrompts, "1 to 65,536");

    private protected static void Require(bool holds, string key, object value, string bound)
    {
        if (!holds) throw new TaskSettingException(key, FormattableString.Invariant($"task.{key} = {value}: must be {bound}"));
    }
}

/// <summary>Random digits to sort.</summary>
/// <param name="Length">digits, 2 .. 12</param>
/// <param name="DescendingFraction">share of corpus answers in descending order: the bad habit that training has to break; 0 .. 1</param>
public sealed record SortSettings(int Length, double DescendingFraction, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    internal override void Check()
    {
        base.Check();
        Require(Length is >= 2 and <= 12, "length", Length, "2 to 12");
        Require(DescendingFraction is >= 0 and <= 1, "descending-fraction", DescendingFraction, "0 to 1");
    }
}

/// <summary>4x4 sudoku puzzles with exactly one solution.</summary>
/// <param name="MinClues">fewest given cells, at least 4: fewer never determine a solution</param>
/// <param name="MaxClues">most given cells, at most 15</param>
public sealed record SudokuSettings(int MinClues, int MaxClues, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    internal override void Check()
    {
        base.Check();
        Require(MinClues is >= 4 and <= 15, "min-clues", MinClues, "4 to 15");
        Require(MaxClues >= MinClues && MaxClues <= 15, "max-clues", MaxClues, $"min-clues ({MinClues}) to 15");
    }
}

/// <summary>Products with worked steps.</summary>
/// <param name="LeftDigits">of the left number, 1 .. 4</param>
/// <param name="RightDigits">of the right number, 2 .. 4: each is a partial product, which is a thought</param>
/// <param name="Thoughts">whether the corpus works the products out or gives answers only</param>
public sealed record MultiplySettings(int LeftDigits, int RightDigits, bool Thoughts, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    /// <summary>Tokens of a thought, and of the answer: the digits that a product can have, and a mark.</summary>
    public int ThoughtLength => LeftDigits + RightDigits + 1;

    internal override void Check()
    {
        base.Check();
        Require(LeftDigits is >= 1 and <= 4, "left-digits", LeftDigits, "1 to 4");
        Require(RightDigits is >= 2 and <= 4, "right-digits", RightDigits, "2 to 4: with one digit there is nothing to work out");
    }
}

/// <summary>Three numbers to combine into a target.</summary>
/// <param name="MaxNumber">numbers are drawn from 1 .. MaxNumber; 2 .. 999</param>
/// <param name="MaxTarget">targets lie in 1 .. MaxTarget; 1 .. 999</param>
/// <param name="Operators">the operators that generated problems use, for example <c>+-*/</c>; answers may use all four</param>
public sealed record CountdownSettings(int MaxNumber, int MaxTarget, string Operators, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    internal override void Check()
    {
        base.Check();
        Require(MaxNumber is >= 2 and <= CountdownText.Largest, "max-number", MaxNumber, $"2 to {CountdownText.Largest}");
        Require(MaxTarget is >= 1 and <= CountdownText.Largest, "max-target", MaxTarget, $"1 to {CountdownText.Largest}");
        var distinct = Operators.Length > 0 && Operators.Distinct().Count() == Operators.Length && Operators.All("+-*/".Contains);
        Require(distinct, "operators", $"\"{Operators}\"", "one or more of + - * / without repeats");
    }
}

/// <summary>Digits of which some determine others.</summary>
/// <param name="Groups">capitals of a prompt, 1 .. 4</param>
public sealed record OrderSettings(int Groups, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    internal override void Check()
    {
        base.Check();
        Require(Groups is >= 1 and <= 4, "groups", Groups, "1 to 4");
    }
}

/// <summary>A ball under five cups.</summary>
/// <param name="Swaps">of a prompt, 1 .. 32</param>
/// <param name="Worked">whether answers hold the place after every swap or the last one only</param>
public sealed record SerialSettings(int Swaps, bool Worked, int HeldOutPrompts) : GeneratedTaskSettings(HeldOutPrompts)
{
    internal override void Check()
    {
        base.Check();
        Require(Swaps is >= 1 and <= 32, "swaps", Swaps, "1 to 32");
    }
}
