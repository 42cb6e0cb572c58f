using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.RewardModels;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Composition;
using Lateral.Node.Display;

namespace Lateral.Node.Cli;

/// <summary>One <c>reward-model train</c>: from a file of pairs to a reward model's folder, which is there whole or is none; a training that was interrupted goes on with the same command.</summary>
internal sealed record RewardModelTraining(string Data, string? Base, string Output)
{
    /// <summary>Where an unfinished training stands.</summary>
    private const string ProgressFile = "training.safetensors";

    /// <summary>The longest text that a fresh core reads, in bytes.</summary>
    private const int FreshLength = 1024;

    public required int Steps { get; init; }

    public required double LearningRate { get; init; }

    public required int Batch { get; init; }

    public required int BatchTokens { get; init; }

    public required double HeldOut { get; init; }

    public required double Centre { get; init; }

    public required bool ActivationCheckpointing { get; init; }

    public required int SaveEvery { get; init; }

    public required ulong Seed { get; init; }

    public required string[] Sets { get; init; }

    public required string Device { get; init; }

    private string Progress => Path.Combine(Output, ProgressFile);

    /// <param name="loadTorch">last, because everything else that can be wrong is found faster</param>
    /// <exception cref="UserException">the base or the folder cannot be used, or the training cannot go on</exception>
    public async Task RunAsync(Terminal terminal, Action loadTorch, bool json, CancellationToken cancellation)
    {
        RequireOutput();
        var (tokens, spec) = Base is null ? (RewardTokens.OfBytes(), FreshSpec()) : (RewardTokens.In(Base, "--model"), ModelFolder.Explain("--model", () => ModelStore.Inspect(RequireBase(Base))));
        var data = PreferenceData.Read(Data, tokens, spec.MaxLength);
        var (training, heldOut) = data.Split(HeldOut, Seed);
        loadTorch();
        EnvironmentProblem.Explain($"{Output} cannot be written", () => Directory.CreateDirectory(Output));
        await ExplainedAsync(async () =>
        {
            await using var learner = Base is null ? await RewardLearner.FreshAsync(spec, Device, Settings, training) : await RewardLearner.OfBaseAsync(Base, Device, Settings, training);
            var identity = Identity(data, spec);
            var clock = Stopwatch.StartNew();
            var before = heldOut.Count == 0 ? null : await learner.MeasureAsync(heldOut);
            if (File.Exists(Progress)) await learner.RestoreAsync(Progress, identity);
            if (!json) terminal.Out.WriteLine(Header(spec, training.Count, heldOut.Count, learner.Step));
            await TrainAsync(learner, identity, terminal, json, cancellation);
            var after = heldOut.Count == 0 ? null : await learner.MeasureAsync(heldOut);
            var measured = after ?? await learner.MeasureAsync(training);
            CopyTokenizer();
            await learner.SaveAsync(Output, new(Base is null ? null : Path.GetFullPath(Base), data.Sha256, training.Count, after, measured.Mean, measured.Deviation, Steps, Seed, ""));
            File.Delete(Progress);
            terminal.Out.WriteLine(json ? Json(training.Count, before, after, measured, clock.Elapsed) : Summary(before, after, measured, clock.Elapsed));
        });
    }

    private RewardTrainingSettings Settings => new(Steps, Batch, BatchTokens, new(LearningRate, Math.Max(1, Steps / 10), Steps, Decay.Cosine, .1), new(.9, .999, 1e-8, 0), ClipNorm: 1, Centre, Seed) { ActivationCheckpointing = ActivationCheckpointing };

    private async Task TrainAsync(RewardLearner learner, string identity, Terminal terminal, bool json, CancellationToken cancellation)
    {
        var shown = Math.Max(1, Steps / 10);
        while (learner.Step < Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            var progress = await learner.UpdateAsync();
            if (!json && (progress.Step % shown == 0 || progress.Step == Steps))
                terminal.Out.WriteLine($"step {progress.Step}/{Steps}  loss {Words.Fixed(progress.Loss, 4)}  accuracy {Words.Fixed(progress.Accuracy, 3)}  gradient {Words.Fixed(progress.GradientNorm)}  lr {Words.Rate(progress.LearningRate)}");
            // After the last one, too: what is begun to be written can then be written again.
            if (SaveEvery > 0 && (progress.Step % SaveEvery == 0 || progress.Step == Steps)) await learner.SaveProgressAsync(Progress, identity);
        }
    }

    /// <summary>What the weights follow from; a saved training of another identity is refused.</summary>
    private string Identity(PreferenceData data, TransformerSpec spec) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        JsonSerializer.Serialize(new { data.Sha256, Settings, HeldOut, Base = Base is null ? null : ModelStore.HashOf(Base), Spec = ModelFamilies.Format(spec) }))));

    private TransformerSpec FreshSpec()
    {
        if (Sets.FirstOrDefault(set => !set.TrimStart().StartsWith("model.size", StringComparison.Ordinal)) is { } other)
            throw new UserException(ExitCode.Usage, $"--set {other}: only a fresh core's shape can be set, for example --set model.size.width=128");
        // Any run that is whole: its model's size is all that is read, with the checks that a run's has.
        var size = RunSettingsLoader.Load([], ["task.name = sort5", "reward.pools.answer.kind = sort", "rollout { gen-length = 5, steps = 5 }", .. Sets]).Settings.Model.Size;
        return new TransformerSpec(size.Width, size.Layers, size.Heads, size.MlpWidth, ByteVocabulary.Size, FreshLength, 1e-5, 10_000, ByteVocabulary.Mask, ByteVocabulary.End, ByteVocabulary.End).Checked();
    }

    private string RequireBase(string folder)
    {
        ModelFolder.RequireFiles(folder, "--model");
        if (RewardModelInfo.Is(folder)) throw new UserException(ExitCode.Usage, $"--model {folder}: that is a reward model, and one begins with a published model or with none");
        return Sets.Length == 0 ? folder : throw new UserException(ExitCode.Usage, $"--set {Sets[0]}: the shape is that of --model {folder}; leave one of the two out");
    }

    private void RequireOutput()
    {
        if (RewardModelInfo.Is(Output)) throw new UserException(ExitCode.Usage, $"--out {Output}: a finished reward model lies there; name a new folder");
        if (File.Exists(Output) || (Directory.Exists(Output) && !File.Exists(Progress) && Directory.EnumerateFileSystemEntries(Output).Any()))
            throw new UserException(ExitCode.Usage, $"--out {Output}: something else lies there already, and nothing is overwritten; name a new folder");
        if (Directory.Exists(Output)) DurableFile.Sweep(Output);
    }

    private void CopyTokenizer()
    {
        if (Base is null) DurableFile.WriteText(Path.Combine(Output, TokenizerJson.File), ByteVocabulary.Json());
        else PublishedFiles.CopyAll(Base, Output, withConfig: false);
    }

    private static async Task ExplainedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception mistake) when (mistake is RewardTrainingException or Diffusion.DeviceMemoryException)
        {
            throw new UserException(mistake is RewardTrainingException ? ExitCode.Usage : ExitCode.Environment, mistake.Message + (mistake is RewardTrainingException ? "" : " - write a smaller --batch-tokens, or --activation-checkpointing"), mistake);
        }
    }

    private string Header(TransformerSpec spec, int training, int heldOut, int begun) =>
        $"reward model of {Words.Count(ModelStore.ParameterCount(spec))} parameters, {(Base is null ? "fresh, bytes" : $"from {Base}")}: {Words.Many(training, "pair")} to learn from, {Words.Count(heldOut)} held out, {Words.Many(Steps, "update")} of {Batch}, seed {Seed}"
        + (begun == 0 ? "" : $"\ngoes on after step {begun}");

    private string Summary(PreferenceFit? before, PreferenceFit? after, PreferenceFit measured, TimeSpan elapsed) =>
        (after is null ? "nothing was held out" : $"held out: accuracy {Words.Fixed(before!.Accuracy, 3)} -> {Words.Fixed(after.Accuracy, 3)} of {Words.Many(after.Pairs, "pair")}, loss {Words.Fixed(before.Loss, 4)} -> {Words.Fixed(after.Loss, 4)}")
        + $"\nrewards {(after is null ? "of the training's texts" : "there")}: mean {Words.Fixed(measured.Mean, 3)}, deviation {Words.Fixed(measured.Deviation, 3)}; {Words.Fixed(elapsed.TotalSeconds, 1)} s"
        + $"\n  ask it          {Commands.Program} reward-model score {Output} --data {Data}"
        + $"\n  reward by it    reward.pools.taste {{ kind = reward-model, path = {JsonSerializer.Serialize(Path.GetFullPath(Output))} }}";

    private string Json(int pairs, PreferenceFit? before, PreferenceFit? after, PreferenceFit measured, TimeSpan elapsed) => JsonSerializer.Serialize(
        new { Directory = Path.GetFullPath(Output), Pairs = pairs, Before = before, After = after, measured.Mean, measured.Deviation, Seconds = Math.Round(elapsed.TotalSeconds, 3) }, JsonSerializerOptions.Web);
}
