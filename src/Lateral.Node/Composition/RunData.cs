using System.Security.Cryptography;
using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;
using Lateral.Diffusion.Tokens;
using Lateral.Rewards.Data;

namespace Lateral.Node.Composition;

/// <summary>The files of a run that trains on files: read as its task, and the same at every start and on every node.</summary>
internal static class RunData
{
    /// <summary>Who asks for prompts; a node that only scores or computes gradients is sent what it needs.</summary>
    private const NodeRoles Readers = NodeRoles.Coordinator | NodeRoles.Learner | NodeRoles.Sampler;

    public static DataTask Task(RunSettings settings, DataSettings data, ITokenizer tokenizer, PromptEncoder encoder)
    {
        // An answer of a model's own tokenizer needs its end.
        var room = settings.Rollout.Spec.GenLength - (tokenizer is CharTokenizer ? 0 : 1);
        return new DataTask(data, settings.Seed, new RowLengths(item => encoder.Encode(item).Length, answer => tokenizer.Encode(answer).Length, room));
    }

    /// <summary>Reads the rows, where they are read at all, and checks that they are what the run needs.</summary>
    /// <returns>what became of the rows; null = the task is generated</returns>
    /// <exception cref="DataException">a file or a row cannot be used, or a warm-up has nothing to learn from</exception>
    public static DataSetCounts? Require(RunSettings settings, ITask task)
    {
        if (task is not DataTask data) return null;
        if (settings.Warmup.Steps > 0) _ = data.Corpus(0);
        return data.Counts;
    }

    /// <summary>The first of the run's files that is not there; null where all are, or the task is generated.</summary>
    public static string? Missing(RunSettings settings) => new[] { settings.Data?.Train, settings.Data?.Eval }.FirstOrDefault(path => path is not null && !File.Exists(path));

    public static bool IsReadBy(NodeRoles roles) => (roles & Readers) != NodeRoles.None;

    /// <summary>The setting that says which rows a run begins with, which is stored with it; null where it reads none, or somebody has said it.</summary>
    /// <exception cref="UserException">a file cannot be read</exception>
    public static string? Pin(RunSettings settings) => settings.Data is { Sha256: null } data ? RunSettingsLoader.Set("data.sha256", HashOf(data)) : null;

    /// <exception cref="UserException">a file of the run is missing, or not the one that it began with</exception>
    public static void RequireSame(RunSettings settings, NodeRoles roles)
    {
        if (settings.Data is not { Sha256: { } begun } data || !IsReadBy(roles)) return;
        if (HashOf(data) is var now && !string.Equals(now, begun, StringComparison.OrdinalIgnoreCase))
        {
            throw new UserException(ExitCode.Usage,
                $"data.train = {data.Train}{(data.Eval is { } eval ? $", data.eval = {eval}" : "")}: the files have SHA-256 {now}, and the run has begun with {begun} - with other rows it would be another run; put the files back, or start a new one");
        }
    }

    /// <summary>SHA-256 over the bytes of the training file and of the evaluation file.</summary>
    /// <exception cref="UserException">a file is missing or cannot be read</exception>
    public static string HashOf(DataSettings data)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[1 << 20];
            foreach (var path in new[] { data.Train, data.Eval }.OfType<string>())
            {
                using var file = File.OpenRead(path);
                for (int read; (read = file.Read(buffer)) > 0;) hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserException(ExitCode.Usage, $"data: {e.Message} - data.train and data.eval name files that are there, from {Environment.CurrentDirectory}", e);
        }
    }
}
