using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lateral.Configuration;

namespace Lateral.Node.Cli;

/// <summary><c>config</c>: everything that can be known of a configuration without starting it.</summary>
internal static class ConfigCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(Terminal terminal) => new("config", Help.Line("look at configurations", "config check hocon/quickstart.conf"))
    {
        ConfigCheckCommand.Create(terminal),
        ConfigPrintCommand.Create(terminal),
        ConfigDiffCommand.Create(terminal),
        ConfigExplainCommand.Create(terminal),
    };

    /// <summary>A value without its secrets. They are known by any word of the key, and by their form inside a text.</summary>
    public static ConfigValue Shown(string path, ConfigValue value)
    {
        var secret = path.Split('.').Select(word => word.Trim('"')).FirstOrDefault(Secrets.IsSecret) ?? "value";
        return Secrets.Redact(new ConfigObject(value.Origin, new Dictionary<string, ConfigValue>(StringComparer.Ordinal) { [secret] = value })).Fields[secret];
    }

    public static JsonNode? Json(ConfigValue? value) => value is null ? null : JsonNode.Parse(CanonicalJson.Write(value, sorted: false));

    public static void WriteJson(Terminal terminal, JsonNode node) => terminal.Out.WriteLine(node.ToJsonString(Indented));
}
