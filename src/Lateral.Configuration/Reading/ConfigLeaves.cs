namespace Lateral.Configuration;

/// <summary>One line of <c>config print --origins</c>. Example: <c>("rollout.groups-per-step", 8, "run.conf:3:9")</c>.</summary>
/// <param name="Path">As a user would write it; list items print as <c>seeds[0]</c>.</param>
/// <param name="Value">A scalar, or an empty object or list.</param>
public sealed record ConfigLeaf(string Path, ConfigValue Value)
{
    public Origin Origin => Value.Origin;
}

/// <summary>A resolved tree as a list of its leaves.</summary>
public static class ConfigLeaves
{
    /// <summary>Every leaf in the order of the files.</summary>
    public static IEnumerable<ConfigLeaf> Flatten(ConfigObject root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return root.Fields.SelectMany(f => Below(ConfigPath.RenderKey(f.Key), f.Value));
    }

    private static IEnumerable<ConfigLeaf> Below(string path, ConfigValue value) => value switch
    {
        ConfigObject { Fields.Count: > 0 } o => o.Fields.SelectMany(f => Below(ConfigPath.Join(path, f.Key), f.Value)),
        ConfigArray { Items.Count: > 0 } a => a.Items.SelectMany((item, i) => Below($"{path}[{i}]", item)),
        _ => [new ConfigLeaf(path, value)],
    };
}
