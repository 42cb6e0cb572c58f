namespace Lateral.Core.Policies;

/// <summary>How policies get from the learner's node to the samplers, and what they have to prove there: <c>policies {}</c> of reference.conf.</summary>
/// <param name="Transport"><c>http</c> or <c>shared-dir</c></param>
/// <param name="Port">TCP port of the learner's node; 0 = any free one</param>
/// <param name="TokenFile">file with the bearer token; null = one is drawn when the learner's node starts</param>
/// <param name="CacheDirectory">where a node keeps what it downloaded; null = a folder of its own under the user's</param>
/// <param name="Downloads">payloads sent at once</param>
/// <param name="Stall">a download without a single byte for so long is broken off and taken up again</param>
/// <param name="Deadline">for one policy, all attempts together; and for one response of the server</param>
/// <param name="CanaryLimit">by how many nats per token a sampler's score of the canary may differ from the learner's</param>
public sealed record PolicySyncSettings(
    string Transport, int Port, string? TokenFile, string? CacheDirectory, int Downloads, TimeSpan Stall, TimeSpan Deadline, double CanaryLimit)
{
    public const string Http = "http";

    /// <summary>Every node reads the run directory itself.</summary>
    public const string SharedDirectory = "shared-dir";

    public static IReadOnlyList<string> Transports { get; } = [Http, SharedDirectory];
}
