using System.Text.Json;
using Lateral.Core;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.RewardModels;

/// <summary>What a reward model's folder says of it, <c>reward_model.json</c>: written last, so a folder that has it is whole.</summary>
/// <param name="Base">the folder of the model that it began with; null = a fresh one</param>
/// <param name="DataSha256">of the file of pairs</param>
/// <param name="Pairs">learned from</param>
/// <param name="HeldOut">how well it agrees with the pairs that it was not shown; null where none were held out</param>
/// <param name="Mean">of the rewards of the held-out texts, or of the training's where none were held out, and their <paramref name="Deviation"/>: what rewards are normalised with</param>
/// <param name="WeightsSha256">of its weights file</param>
public sealed record RewardModelInfo(string? Base, string DataSha256, int Pairs, PreferenceFit? HeldOut, double Mean, double Deviation, int Steps, ulong Seed, string WeightsSha256)
{
    public const string File = "reward_model.json";

    private const int Protocol = 1;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Whether a folder holds a finished reward model.</summary>
    public static bool Is(string folder) => System.IO.File.Exists(Path.Combine(folder, File));

    /// <exception cref="ModelException">the folder holds none, or one of another version</exception>
    public static RewardModelInfo Read(string folder)
    {
        var path = Path.Combine(folder, File);
        if (!Is(folder)) throw new ModelException($"'{folder}' is no reward model: it has no {File}, which lateral reward-model train --out writes last; a run, an export and a published model have none");
        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(System.IO.File.ReadAllBytes(path), Json);
            if (stored is not { Model: { } info }) throw new ModelException($"'{path}' does not describe a reward model - train it again");
            return stored.Protocol == Protocol ? info : throw new ModelException($"'{path}' speaks protocol {stored.Protocol} and this program {Protocol}: use the version of Lateral that wrote it");
        }
        catch (JsonException mistake)
        {
            throw new ModelException($"'{path}' cannot be read: {mistake.Message}", mistake);
        }
    }

    internal void Write(string folder) => DurableFile.WriteText(Path.Combine(folder, File), JsonSerializer.Serialize(new Stored(Protocol, this), Json) + "\n");

    private sealed record Stored(int Protocol, RewardModelInfo? Model);
}
