using Lateral.Configuration;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary><c>data {}</c>: the files that a run trains on; without one a task is generated.</summary>
internal static class DataSection
{
    /// <summary>What a run on files has instead of a task's name.</summary>
    public static string TaskName(DataSettings data) => $"{data.Format} data";

    public static DataSettings? Read(ConfigReader config)
    {
        var (data, task) = (config.Section("data"), config.Section("task"));
        var (train, eval, format) = (data.OptionalString("train"), data.OptionalString("eval"), data.OneOf("format", DataSettings.Formats));
        var (template, columns) = (ReadTemplate(data), data.Section("columns"));
        var skip = data.OneOf("on-bad-row", ["fail", "skip"]) == "skip";
        var (least, most, share) = (data.Int("min-prompt-tokens", 1, 1 << 24), data.Int("max-prompt-tokens", 1, 1 << 24), data.Double("max-bad-rows", 0, 1));
        if (least > most) data.Error("min-prompt-tokens", $"must be at most data.max-prompt-tokens ({most}), got {least}");
        var heldOut = data.Double("held-out", 0, 0.9);
        var settings = new DataSettings(
            train ?? "", eval, format, new DataColumns(columns.OptionalString("prompt"), columns.OptionalString("answer"), columns.OptionalString("reference")), template,
            heldOut, data.Bool("shuffle"), least, most, skip ? share : null)
        {
            Sha256 = ReadHash(data),
        };
        if (train is null)
        {
            if (eval is not null) data.Error("eval", "is set and data.train is not: a generated task has held-out prompts of its own - write data.train, or leave data.eval out");
            return null;
        }

        if (task.Has("name")) task.Error("name", $"must be null with data.train = {train}: prompts are generated or read - leave one of them out");
        if (eval is null && heldOut == 0) data.Error("held-out", "must be above 0 without data.eval: a run is evaluated on prompts that it is not trained on - write held-out = 5%");
        return settings;
    }

    /// <summary>A prompt has to fit beside its answer.</summary>
    public static void Check(ConfigReader config, DataSettings? data, RolloutSettings rollout, int microBatchTokens)
    {
        if (data is null || microBatchTokens >= data.MaxPromptTokens + rollout.Spec.GenLength) return;
        config.Section("data").Error("max-prompt-tokens", $"must leave room for an answer: with rollout.gen-length ({rollout.Spec.GenLength}) at most learner.micro-batch-tokens ({microBatchTokens}), got {data.MaxPromptTokens}"
            + $" - write max-prompt-tokens = {Math.Max(1, microBatchTokens - rollout.Spec.GenLength)}, or micro-batch-tokens = {data.MaxPromptTokens + rollout.Spec.GenLength}");
    }

    private static string? ReadHash(ConfigReader data)
    {
        var hash = data.OptionalString("sha256");
        if (hash is not null && !(hash.Length == 64 && hash.All(char.IsAsciiHexDigit))) data.Error("sha256", $"must be 64 hexadecimal digits, got \"{hash}\"");
        return hash;
    }

    private static string ReadTemplate(ConfigReader data)
    {
        var template = data.String("template", allowEmpty: false);
        if (!DataSettings.Templates.Contains(template) && !template.Contains(DataSettings.PromptMark, StringComparison.Ordinal))
            data.Error("template", $"must be one of {string.Join(", ", DataSettings.Templates)}, or a text with {DataSettings.PromptMark}, got \"{template}\"");
        return template;
    }
}
