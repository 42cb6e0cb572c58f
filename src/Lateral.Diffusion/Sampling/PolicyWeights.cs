using System.Security.Cryptography;
using Lateral.Core.Policies;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;

namespace Lateral.Diffusion.Sampling;

/// <summary>A published payload on its way into a live model.</summary>
public static class PolicyWeights
{
    /// <summary>Refuses a payload that is not what its manifest says; reads the file off the device thread.</summary>
    /// <exception cref="PolicyUnavailableException">missing, or another hash</exception>
    public static async Task VerifyAsync(PolicyManifest manifest, string path)
    {
        string hash;
        try
        {
            var stream = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
            await using (stream.ConfigureAwait(false)) hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream).ConfigureAwait(false));
        }
        catch (IOException error)
        {
            throw new PolicyUnavailableException($"policy version {manifest.Version} cannot be read from '{path}': {error.Message}", error);
        }

        if (hash != manifest.Hash)
            throw new PolicyUnavailableException($"policy version {manifest.Version} in '{path}' has hash {hash}, its manifest says {manifest.Hash}: fetch it again");
    }

    /// <summary>Copies every weight into the model's own tensors. On the device thread.</summary>
    /// <exception cref="PolicyUnavailableException">the payload is not sound or of another architecture; no weight has changed then</exception>
    public static void Load(TransformerModel model, string path)
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            ModelStore.CopyInto(model, file, path);
        }
        catch (Exception error) when (error is ModelException or SafetensorsException)
        {
            throw new PolicyUnavailableException(error.Message, error);
        }
    }
}
