using System.Text.Json;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;

namespace Lateral.Node.Cli;

/// <summary>What a run would do and write, and what was found out about it without starting it.</summary>
/// <param name="Writes">file or folder in the run directory, and what would be in it</param>
/// <param name="Checks">what was looked at and is well</param>
internal sealed record DryRun(RunSettings Settings, int HeldOut, IReadOnlyList<(string File, string What)> Writes, IReadOnlyList<string> Checks, IReadOnlyList<string> Notes)
{
    private long Prompts => Settings.Rollout.GroupsPerStep;

    private long Rollouts => Prompts * Settings.Rollout.GroupSize;

    private long Tokens => Rollouts * Settings.Rollout.Spec.GenLength;

    /// <param name="parent">folder of the checkpoint that a fork begins with; null for other runs</param>
    /// <exception cref="UserException">the machine lacks something: port, space, or a device that the configuration names</exception>
    public static async Task<DryRun> OfAsync(RunSettings settings, TaskComposition task, string? parent, CancellationToken cancellation)
    {
        var topology = settings.Topology;
        await EnvironmentProblem.RequirePortAsync(topology.Host, topology.Port, cancellation);
        var existing = Path.GetFullPath(settings.Directory);
        while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
        var free = EnvironmentProblem.FreeBytes(existing);
        EnvironmentProblem.RequireSpace(existing, free);
        // A CPU is always there: libtorch is loaded only to look for a device, or because a certain one is asked for.
        string[] devices = [.. topology.SamplerDevices, topology.LearnerDevice];
        var asked = settings.Compute.Libtorch is not null || devices.Any(device => device != "cpu");
        if (asked) RunComposition.RequireTorch(settings, devices);
        string[] checks =
        [
            "configuration", $"task {settings.Task.Name}", $"reward {string.Join(", ", settings.Pools.Select(pool => pool.Kind).Distinct())}", "the name is free",
            $"{free >> 20:N0} MiB free", topology.Port == 0 ? "any free port" : $"port {topology.Port}",
            .. settings is { ForkedFrom: null, Model.Path: not null } ? ["model.path"] : Array.Empty<string>(),
            .. asked ? [$"libtorch sees {string.Join(", ", devices.Distinct())}"] : Array.Empty<string>(),
        ];
        // A fork begins with a model as much as a run with model.path does.
        var begun = parent is null ? settings : settings with { Model = settings.Model with { Path = parent } };
        string[] notes = [.. Advice.On(begun), .. asked ? Array.Empty<string>() : ["libtorch was not loaded: doctor checks it"]];
        return new DryRun(settings, task.Prompts.HeldOutCount, [.. Files(settings)], checks, notes);
    }

    public IEnumerable<string> Lines()
    {
        var evaluation = Settings.Evaluation;
        yield return RunLines.Header(Settings);
        foreach (var line in Settings.SupervisedOnly ? Supervised() : Reinforced()) yield return line;
        yield return $"  evaluation   {(Settings.SupervisedOnly ? "after" : "before and after")}: {Words.Count(Math.Min(evaluation.FinalPrompts, HeldOut))} prompts x {evaluation.Samples}"
            + (!Settings.SupervisedOnly && evaluation.Every > 0 ? $"; every {evaluation.Every} steps: {Words.Count(Math.Min(evaluation.Prompts, HeldOut))} prompts" : "");
        yield return $"would write to {Path.GetFullPath(Settings.Directory)}";
        var width = Writes.Max(write => write.File.Length);
        foreach (var (file, what) in Writes) yield return $"  {file.PadRight(width)}  {what}";
        yield return $"checked      {string.Join(", ", Checks)}";
        foreach (var note in Notes) yield return $"note         {note}";
        yield return "dry run: nothing was written";
    }

    private IEnumerable<string> Supervised()
    {
        var warmup = Settings.Warmup;
        yield return $"  examples     {Words.Count(warmup.Batch)} a step, {Words.Count((double)warmup.Batch * warmup.Steps)} in all; {Words.Count(HeldOut)} prompts held out";
        yield return $"  learner      on {Settings.Topology.LearnerDevice}: {Words.Many(warmup.Steps, "update")}";
    }

    private IEnumerable<string> Reinforced()
    {
        var (rollout, learner, topology) = (Settings.Rollout, Settings.Learner, Settings.Topology);
        yield return $"  prompts      {Words.Count(Prompts)} a step, {Words.Count(Prompts * Settings.Steps)} in all, from prompt {Words.Count(Settings.FirstPrompt)} on; {Words.Count(HeldOut)} held out";
        yield return $"  rollouts     {Words.Count(Rollouts)} a step ({Words.Count(Prompts)} x {rollout.GroupSize}), {Words.Count(Rollouts * Settings.Steps)} in all";
        yield return $"  tokens       {Words.Count(Tokens)} a step ({Words.Count(Rollouts)} x {rollout.Spec.GenLength}), {Words.Count(Tokens * Settings.Steps)} in all; {Words.Many(rollout.Spec.Steps, "denoising step")} in {Words.Many(rollout.Spec.Blocks, "block")}";
        yield return $"  learner      on {topology.LearnerDevice}: {Words.Many(learner.Updates, "update")} a step from {Words.Many(learner.Shards, "gradient shard")}, at most {Words.Count(learner.MicroBatchTokens)} tokens a forward";
        yield return $"  samplers     on {string.Join(", ", topology.SamplerDevices)}: {Words.Count(topology.Slots)} canvases at once each";
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Run = Settings.Name,
            Directory = Path.GetFullPath(Settings.Directory),
            Task = Settings.Task.Name,
            Settings.Steps,
            Settings.Seed,
            Settings.FirstPrompt,
            HeldOut,
            PerStep = new { Prompts, Rollouts, Tokens },
            Total = new { Prompts = Prompts * Settings.Steps, Rollouts = Rollouts * Settings.Steps, Tokens = Tokens * Settings.Steps },
            Writes = Writes.Select(write => new { write.File, write.What }),
            Checks,
            Notes,
        },
        JsonSerializerOptions.Web);

    private static IEnumerable<(string File, string What)> Files(RunSettings settings)
    {
        var (steps, evaluation, checkpoint) = (settings.Steps, settings.Evaluation, settings.Checkpoint);
        yield return ("config.conf, config.resolved.json", "the configuration as written, and as understood");
        yield return ("env.json", "versions and machine");
        if (settings.ForkedFrom is { } parent) yield return ("base/", $"copy of the checkpoint of {parent}");
        yield return settings.Journal.Directory is { } disk
            ? ("journal-backup.db", $"a copy of the journal in {disk}, every {settings.Journal.BackupEvery.TotalSeconds:0} s")
            : ("journal.db, snapshots.db", "every decision, trajectory and reward");
        if (settings.SupervisedOnly)
        {
            yield return ("checkpoints/, policies/", "step 0");
            yield return ("eval.jsonl", "1 line");
            yield return ("logs/, STATUS.md", "what happened, and where the run stands");
            yield break;
        }

        yield return ("checkpoints/", $"step 0 and every {Ordinal(checkpoint.Every)}step, the last {checkpoint.KeepLast} kept");
        yield return ("policies/", settings.MaxStaleness == 0 ? "the last version" : $"the last {settings.MaxStaleness + 1} versions");
        yield return ("metrics.jsonl", $"{Words.Count(steps)} lines");
        yield return ("eval.jsonl", $"{Words.Count(2 + (evaluation.Every > 0 ? (steps - 1) / evaluation.Every : 0))} lines");
        yield return ("rollouts/", $"step_1.jsonl to step_{steps}.jsonl, {Words.Count((long)settings.Rollout.GroupsPerStep * settings.Rollout.GroupSize)} rollouts each");
        yield return ("logs/, STATUS.md", "what happened, and where the run stands");
    }

    private static string Ordinal(int every) => every == 1 ? "" : $"{every}. ";
}
