using System.Globalization;
using System.Security.Cryptography;
using Lateral.Core.Policies;
using Lateral.Diffusion.Models;

namespace Lateral.Node.Runs;

/// <summary>A step of a run whose weights are still there.</summary>
internal static class SavedPolicy
{
    /// <summary>The asked step's checkpoint, or the newest.</summary>
    /// <exception cref="UserException">the run has no such checkpoint; those it has are named</exception>
    public static PolicyManifest Find(RunDirectory run, int? step)
    {
        var saved = Steps(run).Order().ToList();
        if (saved.Count == 0) throw new UserException(ExitCode.Usage, $"run '{run.Name}' has no checkpoint yet: its base is still being made");
        var wanted = step ?? saved[^1];
        if (!saved.Contains(wanted))
            throw new UserException(ExitCode.Usage, $"run '{run.Name}' has no checkpoint of step {wanted}; it has {string.Join(", ", saved)} (checkpoint.keep-last keeps more)");
        var folder = $"checkpoints/step_{wanted.ToString(CultureInfo.InvariantCulture)}";
        var weights = PolicyForm.WeightsIn(run.Resolve(folder))!;
        using var file = File.OpenRead(weights);
        var name = Path.GetFileName(weights);
        return new PolicyManifest(0, wanted, Convert.ToHexStringLower(SHA256.HashData(file)), "", name == LoraSettings.WeightsFile ? PayloadKind.Adapter : PayloadKind.Full, file.Length, $"{folder}/{name}");
    }

    private static IEnumerable<int> Steps(RunDirectory run) =>
        Directory.Exists(run.Checkpoints)
            ? Directory.EnumerateDirectories(run.Checkpoints, "step_*")
                .Where(path => PolicyForm.WeightsIn(path) is not null)
                .Select(path => int.TryParse(Path.GetFileName(path).AsSpan("step_".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1)
                .Where(step => step >= 0)
            : [];
}
