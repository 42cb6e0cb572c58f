using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;

namespace Lateral.Diffusion.Parity;

/// <summary>Every case that a directory of reference results has, one after the other: the checkpoints beside them are small.</summary>
public static class ParitySuite
{
    /// <param name="directory">a folder with a checkpoint and cases, or one that holds such folders</param>
    public static IEnumerable<ParityResult> Run(string directory)
    {
        foreach (var path in new[] { directory }.Concat(Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal)))
        {
            foreach (var result in RunFolder(path)) yield return result;
        }
    }

    private static List<ParityResult> RunFolder(string path)
    {
        var results = new List<ParityResult>();
        try
        {
            results.AddRange(TokenizerParity.Run(path));
            if (!ModelStore.Is(path)) return results;
            using var folder = new ParityFolder(path);
            results.AddRange(ForwardParity.Run(folder));
            results.AddRange(GenerationParity.Run(folder));
            results.AddRange(LossParity.Run(folder));
            results.AddRange(RuleParity.Run(folder));
            results.AddRange(AdapterParity.Run(folder));
        }
        catch (Exception mistake) when (mistake is ModelException or SafetensorsException or JsonException or TokenizerException or KeyNotFoundException or IOException)
        {
            results.Add(new(Path.GetFileName(path), double.NaN, mistake.Message));
        }

        return results;
    }
}
