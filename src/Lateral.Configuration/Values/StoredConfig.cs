namespace Lateral.Configuration;

/// <summary>
/// A resolved tree in the form that may be kept in a file: no secret is in it. A secret that came from an environment variable
/// is null there, and a line of <see cref="Variables"/> says where to read it again, so that laying those lines over the tree
/// gives the original while the variables stand.
/// </summary>
/// <param name="Variables">HOCON, for example <c>journal.password = ${?LATERAL_DB_PASSWORD}</c>; in the order of the tree</param>
public sealed record StoredConfig(ConfigObject Tree, IReadOnlyList<string> Variables)
{
    /// <exception cref="ConfigException">a secret is written out in a file or a --set: it would be kept with the run</exception>
    public static StoredConfig Of(ConfigObject root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var (variables, errors) = (new List<string>(), new List<ConfigError>());
        var tree = (ConfigObject)Withhold(root, "", secret: false, variables, errors);
        return errors.Count == 0 ? new StoredConfig(tree, variables) : throw new ConfigException(errors);
    }

    private static ConfigValue Withhold(ConfigValue value, string path, bool secret, List<string> variables, List<ConfigError> errors)
    {
        switch (value)
        {
            case ConfigObject o:
                return o with { Fields = new OrderedDictionary<string, ConfigValue>(o.Fields.Select(f => KeyValuePair.Create(f.Key, Withhold(f.Value, ConfigPath.Join(path, f.Key), secret || Secrets.IsSecret(f.Key), variables, errors))), StringComparer.Ordinal) };
            case ConfigArray a:
                return a with { Items = [.. a.Items.Select((item, i) => Withhold(item, $"{path}[{i}]", secret, variables, errors))] };
            case ConfigScalar { Kind: not ScalarKind.Null, Text.Length: > 0 } s when secret || Secrets.HoldsPassword(s.Text):
                // A list's items have no path of their own that a line could assign.
                if (s.Origin.Variable is { } variable && !path.EndsWith(']')) variables.Add($"{path} = ${{?{ConfigPath.RenderKey(variable)}}}");
                else errors.Add(new ConfigError(s.Origin, $"{path} is a secret that is written out - a run directory keeps its configuration - write {path} = ${{?NAME}} and set NAME in the environment"));
                return new ConfigScalar(s.Origin, "null", false, ScalarKind.Null);
            default:
                return value;
        }
    }
}
