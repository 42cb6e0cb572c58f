using Lateral.Actors.Settings;
using Lateral.Configuration;

namespace Lateral.Node.Composition;

/// <summary>A reward kind's keys as reference.conf has them, for what is judged outside of a run.</summary>
internal static class KindDefaults
{
    private static readonly ConfigObject Reference = Hocon.ParseText(RunSettingsLoader.Reference.Text, RunSettingsLoader.Reference.Source);

    /// <summary>Those that are null are left out.</summary>
    public static IReadOnlyDictionary<string, string> Of(string kind) =>
        ((ConfigObject)Reference.Find("reward", "kinds", kind)!).Fields.Where(field => field.Value is ConfigScalar { Kind: not ScalarKind.Null }).ToDictionary(field => field.Key, field => ((ConfigScalar)field.Value).Text, StringComparer.Ordinal);
}
