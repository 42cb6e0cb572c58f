namespace Lateral.Core.Policies;

/// <summary>What a policy's payload contains.</summary>
public enum PayloadKind
{
    /// <summary>Every weight.</summary>
    Full = 0,

    /// <summary>The adapter's weights only, in their own precision.</summary>
    Adapter = 1,

    /// <summary>Every weight, in the middle of a step: what the learner's ranks compute gradients of, and nobody samples under.</summary>
    Working = 2,
}

/// <summary>
/// Announces a policy: weights never travel inside a message, this does.
/// Example: <c>epoch 2, version 17, hash "9f3c..", parent "c01a..", full, 499,104 bytes, "policies/v17.safetensors"</c>.
/// </summary>
/// <param name="Epoch">the learner's fencing epoch; a lower one is refused</param>
/// <param name="Version">0 is the base; learner step n trains version n - 1 and yields version n</param>
/// <param name="Hash">SHA-256 of the payload, lower-case hex; with epoch and version it is the policy's identity</param>
/// <param name="ParentHash">hash of the version this one was trained from; empty for version 0</param>
/// <param name="Bytes">payload size in bytes</param>
/// <param name="Location">where the payload can be fetched, relative to the run directory</param>
public sealed record PolicyManifest(int Epoch, int Version, string Hash, string ParentHash, PayloadKind Kind, long Bytes, string Location)
{
    /// <summary>What this program writes and reads: one file that holds the whole payload.</summary>
    public const int WholePayload = 1;

    /// <summary>How the payload has to be fetched and applied. A reader refuses what it does not know, and so does not mistake a delta for a policy.</summary>
    public int Protocol { get; init; } = WholePayload;

    /// <summary>Why this program cannot apply the payload; null = it can.</summary>
    public string? Refusal => Protocol == WholePayload ? null : $"its manifest speaks protocol {Protocol} and this node {WholePayload} - use the same version of Lateral on every node";

    /// <summary>
    /// The learner's own score of a fixed canvas under this version, in nats per token: a sampler that has loaded it has to find the
    /// same, which no hash can tell. Null = nobody scored it, and nothing is compared.
    /// </summary>
    public double? Canary { get; init; }
}

/// <summary>From <paramref name="FirstStep"/> on, denoising steps were computed under this policy.</summary>
public readonly record struct PolicySpan(int FirstStep, int Version, string Hash);

/// <summary>Makes published policies readable on this node: fetched, verified, local.</summary>
public interface IPolicyCache
{
    /// <summary>The path of a verified local copy of the payload.</summary>
    /// <exception cref="PolicyUnavailableException">the payload is missing or does not have the manifest's hash</exception>
    Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation);
}

/// <summary>A policy's payload is missing, is not what its manifest says, or does not compute what its learner computed.</summary>
public sealed class PolicyUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
