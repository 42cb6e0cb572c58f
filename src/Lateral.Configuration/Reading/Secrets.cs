using System.Text.RegularExpressions;

namespace Lateral.Configuration;

/// <summary>
/// Keeps secrets out of prints, logs and run directories. A key is secret when its last words are password, secret, token,
/// api-key or private-key; a password inside a value (<c>Host=db;Password=x</c>, <c>postgres://u:x@db</c>) is hidden wherever
/// it stands, and the rest of such a connection string is not.
/// </summary>
public static partial class Secrets
{
    public const string Hidden = "***";

    /// <summary>True for <c>judge.api-key</c>; false for <c>max-tokens</c> and for the vocabulary's own <c>mask-token</c>.</summary>
    public static bool IsSecret(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return SecretKey().IsMatch(key) && !VocabularyKey().IsMatch(key);
    }

    /// <summary>True for <c>Host=db;Password=x</c>, whatever the key.</summary>
    internal static bool HoldsPassword(string text) => Password().IsMatch(text);

    /// <summary>The same tree with secrets replaced by <see cref="Hidden"/>; everything below a secret key is hidden too.</summary>
    public static ConfigObject Redact(ConfigObject root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return (ConfigObject)Redact(root, secret: false);
    }

    private static ConfigValue Redact(ConfigValue value, bool secret) => value switch
    {
        ConfigObject o => o with { Fields = new OrderedDictionary<string, ConfigValue>(o.Fields.Select(f => KeyValuePair.Create(f.Key, Redact(f.Value, secret || IsSecret(f.Key)))), StringComparer.Ordinal) },
        ConfigArray a => a with { Items = [.. a.Items.Select(i => Redact(i, secret))] },
        ConfigScalar { Kind: ScalarKind.Null } or ConfigScalar { Text: "" } => value,
        ConfigScalar s when secret => s with { Text = Hidden, Quoted = true, Kind = ScalarKind.String },
        ConfigScalar { Kind: ScalarKind.String } s => s with { Text = Password().Replace(s.Text, Hidden) },
        _ => value,
    };

    [GeneratedRegex(@"(^|[-_.])(passwords?|secrets?|token|(api|private)-?key)$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex SecretKey();

    [GeneratedRegex(@"(^|[-_.])(mask|pad|eos|bos|eot|unk|cls|sep)-token$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex VocabularyKey();

    [GeneratedRegex(@"(?<=\b(?:password|pwd)\s*=\s*)[^;\s]+|(?<=://[^/:@\s]*:)[^/@\s]+(?=@)", RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Password();
}
