using System.Globalization;
using Lateral.Core.Policies;

namespace Lateral.Node.PolicySync;

/// <summary>
/// What server and cache agree on. <c>GET /v1/policy?version=17&amp;kind=full</c> with <c>If-Match: "SHA-256"</c>, and to go on with a
/// torn download <c>Range: bytes=N-</c> with <c>If-Range</c>. The request names numbers only: no file can be asked for by its path.
/// </summary>
internal static class PolicyProtocol
{
    public const string Path = "/v1/policy";

    /// <summary>Words of the query, and of file names, for the kinds that whole files carry.</summary>
    private static readonly Dictionary<PayloadKind, string> Kinds = new() { [PayloadKind.Full] = "full", [PayloadKind.Adapter] = "adapter", [PayloadKind.Working] = "working" };

    public static bool Knows(PayloadKind kind) => Kinds.ContainsKey(kind);

    public static Uri Address(Uri server, PolicyManifest policy) =>
        new(server, string.Create(CultureInfo.InvariantCulture, $"{Path}?version={policy.Version}&kind={Kinds[policy.Kind]}"));

    /// <summary>Null unless the query's words are a version and a known kind.</summary>
    public static (int Version, PayloadKind Kind)? Parse(string? version, string? kind) =>
        int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && Kinds.FirstOrDefault(pair => pair.Value == kind) is { Value: not null } known ? (number, known.Key) : null;

    /// <summary>A published file's name: <c>v17.safetensors</c>, <c>v17.adapter.safetensors</c>.</summary>
    public static string FileName(int version, PayloadKind kind) =>
        string.Create(CultureInfo.InvariantCulture, $"v{version}{(kind == PayloadKind.Full ? "" : "." + Kinds[kind])}.safetensors");
}
