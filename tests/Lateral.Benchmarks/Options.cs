using System.Collections.Immutable;
using System.Globalization;

namespace Lateral.Benchmarks;

/// <summary>What the command line asks for.</summary>
/// <param name="Names">benchmarks to run; empty = all that are not asked for by name only</param>
/// <param name="Quick">fewer repetitions and shorter runs: for seeing that it works, not for figures</param>
/// <param name="Seeds">seeds 1 to this of the experiment</param>
/// <param name="RunsDir">where runs are made and kept; null = a folder that is deleted afterwards</param>
internal sealed record Options(ImmutableArray<string> Names, bool Quick, int Seeds, string? RunsDir)
{
    private static readonly string[] OnlyByName = ["why-correction", "staleness", "order", "thoughts", "gradients", "serial", "credit", "diversity", "loading", "activations"];

    public bool Wants(string name) => Names.IsEmpty ? !OnlyByName.Contains(name) : Names.Contains(name);

    public static (Options? Options, string Mistake) Parse(string[] arguments, string[] known)
    {
        var options = new Options([], false, 3, null);
        for (var i = 0; i < arguments.Length; i++)
        {
            var (argument, value) = (arguments[i], i + 1 < arguments.Length ? arguments[i + 1] : null);
            switch (argument)
            {
                case "--quick":
                    options = options with { Quick = true };
                    break;
                case "--runs-dir" when value is not null:
                    options = options with { RunsDir = Path.GetFullPath(arguments[++i]) };
                    break;
                case "--seeds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seeds) && seeds > 0:
                    (options, i) = (options with { Seeds = seeds }, i + 1);
                    break;
                case var name when known.Contains(name):
                    options = options with { Names = options.Names.Add(name) };
                    break;
                default:
                    return (null, $"'{argument}' is no benchmark and no option, or lacks its value");
            }
        }

        return (options, "");
    }
}
