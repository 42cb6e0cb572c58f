using Lateral.Configuration;
using Lateral.Core.Policies;
using Lateral.Core.Security;

namespace Lateral.Actors.Settings;

/// <summary><c>policies {}</c> and <c>tls {}</c>: what leaves a node, and who may have it.</summary>
internal static class PolicySection
{
    private static readonly string[] TlsKeys = ["ca", "certificate", "key"];

    public static PolicySyncSettings Read(ConfigReader policies) => new(
        policies.OneOf("transport", PolicySyncSettings.Transports), policies.Int("port", 0, 65_535), policies.OptionalString("token-file"), policies.OptionalString("cache-dir"),
        policies.Int("downloads", 1, 1024), policies.Duration("stall", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)), policies.Duration("deadline", TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)),
        policies.Double("canary-limit", 0, 1_000));

    /// <summary>Null where none of the files is named; the files themselves are read when the node starts.</summary>
    public static TlsSettings? ReadTls(ConfigReader tls)
    {
        var files = TlsKeys.Select(tls.OptionalString).ToArray();
        var named = TlsKeys.Where((_, i) => files[i] is not null).ToArray();
        if (named.Length == 0) return null;
        // Half of it protects nothing, and would let a node bind to every address.
        foreach (var key in TlsKeys.Except(named))
            tls.Error(key, $"must be set, too, as tls.{named[0]} is - write {key} = \"certs/{Example(key)}\", as lateral certs issue made it", tls.OriginOf(named[0]));
        return new TlsSettings(files[0] ?? "", files[1] ?? "", files[2] ?? "");
    }

    private static string Example(string key) => key switch { "ca" => "ca.crt", "key" => "NODE.key", _ => "NODE.crt" };
}
