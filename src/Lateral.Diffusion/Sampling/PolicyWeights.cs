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
    /// <exception cref="PolicyUnavailableException">the payload is of another architecture</exception>
    public static void Load(LladaModel model, string path)
    {
        using var file = SafetensorsFile.Open(path);
        var unknown = file.Tensors.Select(entry => entry.Name).Except(model.Parameters.Keys, StringComparer.Ordinal).FirstOrDefault();
        if (unknown is not null) throw new PolicyUnavailableException($"'{path}' has a tensor '{unknown}' that this model has no place for");
        foreach (var (name, parameter) in model.Parameters)
        {
            var tensor = file.Contains(name) ? file.Read(name) : throw new PolicyUnavailableException($"'{path}' lacks the tensor '{name}'");
            if (!tensor.shape.AsSpan().SequenceEqual(parameter.shape))
                throw new PolicyUnavailableException($"'{path}': '{name}' has shape [{string.Join(", ", tensor.shape)}], this model needs [{string.Join(", ", parameter.shape)}]");
            parameter.copy_(tensor);
        }
    }
}
