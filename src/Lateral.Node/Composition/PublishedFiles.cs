using Lateral.Core;
using Lateral.Diffusion.Models;

namespace Lateral.Node.Composition;

/// <summary>What a published model's directory holds besides weights: other tools want it beside them again.</summary>
internal static class PublishedFiles
{
    private static readonly string[] Names =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "generation_config.json",
    ];

    /// <summary>Copies those that are there, the model's own code included, which others need to load it; nothing that lies in the target is replaced but config.json.</summary>
    /// <param name="withConfig">as published, and not as written here: it may say things that do not change the mathematics</param>
    public static void CopyAll(string from, string to, bool withConfig)
    {
        var code = Directory.EnumerateFiles(from, "*.py").Select(path => Path.GetFileName(path));
        foreach (var name in Names.Concat(code).Where(name => File.Exists(Path.Combine(from, name)) && !File.Exists(Path.Combine(to, name)))) DurableFile.Copy(Path.Combine(from, name), Path.Combine(to, name));
        if (withConfig) DurableFile.Copy(Path.Combine(from, ModelStore.ConfigFile), Path.Combine(to, ModelStore.ConfigFile));
    }
}
