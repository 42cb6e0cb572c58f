using System.IO.Enumeration;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Parity;

/// <summary>Every case that a directory of reference results has, one after the other: the checkpoints beside them are small.</summary>
public static class ParitySuite
{
    internal delegate IEnumerable<ParityResult> Comparison(ParityFolder folder, string name);

    /// <summary>Kinds of cases by their names, in the order in which they are run: what a forward gets wrong, all others do.</summary>
    private static readonly (string Name, Comparison Compare)[] Kinds =
    [
        ("*-cases", TokenizerParity.Run), ("case-forward", ForwardParity.Run), ("case-bd-training", BlockTrainingParity.Run), ("gen-*", GenerationParity.Run), ("traj-*", TrajectoryParity.Run),
        ("case-loss", LossParity.Run), ("case-selection-rules", RuleParity.Rules), ("case-quota", RuleParity.Quotas), ("case-sample-tokens", RuleParity.Proposals),
        ("case-loglikelihood", RuleParity.Likelihood), ("plackett-luce*", OrderParity.Run), ("lora-*", AdapterParity.Run),
    ];

    /// <summary>A checkpoint's own files, which are no cases.</summary>
    private static readonly string[] Own = ["config", "generation_config", "preprocessor_config", "special_tokens_map", "added_tokens", "vocab", "chat_template", "model*", "*tokenizer*"];

    /// <param name="directory">a folder with cases, or one that holds such folders, however deep</param>
    public static IEnumerable<ParityCase> Cases(string directory) =>
        Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Where(path => !IsAdapter(path)).Order(StringComparer.Ordinal).Prepend(directory).SelectMany(path => CasesIn(path, NameOf(path, directory)));

    /// <inheritdoc cref="Cases"/>
    public static IEnumerable<ParityResult> Run(string directory) => Cases(directory).SelectMany(one => one.Run());

    /// <returns>null = a kind that nobody here knows</returns>
    internal static Comparison? ComparisonOf(ParityCase one, string name) => IsAdapter(Path.Combine(one.Folder, name)) ? AdapterParity.Run : Kinds.FirstOrDefault(kind => Matches(kind.Name, name)).Compare;

    private static IEnumerable<ParityCase> CasesIn(string path, string folder)
    {
        var files = Directory.EnumerateFiles(path).Where(file => Path.GetExtension(file) is ".json" or ".safetensors").Select(file => Path.GetFileNameWithoutExtension(file)!).Where(name => !Array.Exists(Own, own => Matches(own, name)));
        var adapters = Directory.EnumerateDirectories(path).Where(IsAdapter).Select(adapter => Path.GetFileName(adapter)!);
        return files.Concat(adapters).Distinct(StringComparer.Ordinal).OrderBy(Place).ThenBy(name => name, StringComparer.Ordinal).Select(name => new ParityCase(path, $"{folder}/{name}"));
    }

    private static int Place(string name) => Array.FindIndex(Kinds, kind => Matches(kind.Name, name)) is >= 0 and var place ? place : Kinds.Length;

    private static bool IsAdapter(string path) => File.Exists(Path.Combine(path, LoraSettings.ConfigFile));

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static string NameOf(string path, string directory) =>
        path == directory ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) : Path.GetRelativePath(directory, path).Replace('\\', '/');
}
