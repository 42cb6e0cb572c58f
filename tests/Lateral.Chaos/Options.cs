using System.Globalization;

namespace Lateral.Chaos;

/// <summary>What the command line asks for.</summary>
/// <param name="Seed">of the plan of faults, and of the run</param>
/// <param name="Minutes">of the phase in which faults happen, its fault-free beginning and its healing included</param>
/// <param name="Json">the verdict as one JSON object, at the end</param>
/// <param name="Keep">keep the folder with configuration, logs and runs even when all is well</param>
internal sealed record Options(int Seed, double Minutes, bool Json, bool Keep)
{
    public const string Usage = "dotnet run --project tests/Lateral.Chaos -- --seed 1 --minutes 8 [--json] [--keep]";

    private const double Shortest = 1, Longest = 24 * 60;

    public static (Options? Options, string Mistake) Parse(string[] arguments)
    {
        var options = new Options(1, 8, false, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            var (argument, value) = (arguments[i], i + 1 < arguments.Length ? arguments[i + 1] : null);
            switch (argument)
            {
                case "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed):
                    (options, i) = (options with { Seed = seed }, i + 1);
                    break;
                case "--minutes" when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var minutes) && minutes is >= Shortest and <= Longest:
                    (options, i) = (options with { Minutes = minutes }, i + 1);
                    break;
                case "--json":
                    options = options with { Json = true };
                    break;
                case "--keep":
                    options = options with { Keep = true };
                    break;
                default:
                    return (null, $"'{argument}' is no option, or its value is missing or out of range (--minutes {Shortest} .. {Longest})");
            }
        }

        return (options, "");
    }
}
