using System.CommandLine;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Tensors;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary><c>reward-model train</c> and <c>reward-model score</c>: a reward learned from preference pairs, which pools of kind <c>reward-model</c> serve.</summary>
internal static class RewardModelCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        json.Recursive = true;
        var command = new Command("reward-model", Help.Line("learn a reward from preferences, or ask a learned one", "reward-model train --data pairs.jsonl --out models/reward")) { json };
        command.Add(Train(terminal, json));
        command.Add(Score(terminal, json));
        return command;
    }

    private static Command Train(Terminal terminal, Option<bool> json)
    {
        var (data, device, threads) = (Data(), Device(), Threads());
        var model = new Option<string?>("--model") { Description = "the published model to begin with, a folder with its tokenizer.json (default: a fresh core that reads bytes)", HelpName = "DIR" };
        var output = new Option<string>("--out") { Description = "the folder to write; new or empty, or with the same training begun, which then goes on", HelpName = "DIR", Required = true };
        var steps = new Option<int>("--steps") { Description = "updates", DefaultValueFactory = _ => 200 };
        var rate = new Option<double?>("--lr") { Description = "peak learning rate (default: 1e-3 for a fresh core, 1e-5 with --model)" };
        var batch = new Option<int>("--batch") { Description = "pairs of an update", DefaultValueFactory = _ => 64 };
        var tokens = new Option<int>("--batch-tokens") { Description = "tokens of a forward at most, padding included; what needs memory (a longer pair stands alone)", DefaultValueFactory = _ => 16_384 };
        var checkpointing = new Option<bool>("--activation-checkpointing") { Description = "keep what enters each block and compute the rest again on the way back: much less memory, about 1.4 times the time" };
        var heldOut = new Option<double>("--held-out") { Description = "share of the prompts that are only measured with, 0 to 0.9", DefaultValueFactory = _ => .1 };
        var centre = new Option<double>("--centre") { Description = "weight of the term that holds rewards around 0, for example 0.01 (default: off)" };
        var every = new Option<int>("--checkpoint-every") { Description = "updates between two savings of the unfinished training; 0 = none", DefaultValueFactory = _ => 100 };
        var seed = new Option<ulong>("--seed") { Description = "of everything that is drawn", DefaultValueFactory = _ => 1UL };
        var sets = new Option<string[]>("--set") { Description = "shape of a fresh core, for example --set model.size.width=128; may be repeated" };
        var train = new Command("train", Help.Line("learn a reward from preference pairs", "reward-model train --data pairs.jsonl --out models/reward")) { data, model, output, steps, rate, batch, tokens, checkpointing, heldOut, centre, every, seed, sets, device, threads };
        train.SetAction(async (parsed, cancellation) =>
        {
            var asked = new RewardModelTraining(parsed.GetValue(data)!, parsed.GetValue(model), parsed.GetValue(output)!)
            {
                Steps = Within("--steps", parsed.GetValue(steps), 1, 1_000_000),
                LearningRate = Within("--lr", parsed.GetValue(rate) ?? (parsed.GetValue(model) is null ? 1e-3 : 1e-5), 1e-9, 1),
                Batch = Within("--batch", parsed.GetValue(batch), 1, 65_536),
                BatchTokens = Within("--batch-tokens", parsed.GetValue(tokens), 1, 1 << 24),
                HeldOut = Within("--held-out", parsed.GetValue(heldOut), 0, .9),
                ActivationCheckpointing = parsed.GetValue(checkpointing),
                Centre = Within("--centre", parsed.GetValue(centre), 0, 1000),
                SaveEvery = Within("--checkpoint-every", parsed.GetValue(every), 0, 1_000_000),
                Seed = parsed.GetValue(seed),
                Sets = parsed.GetValue(sets) ?? [],
                Device = parsed.GetValue(device)!,
            };
            await asked.RunAsync(terminal, () => LoadTorch(parsed.GetValue(device)!, parsed.GetValue(threads)), parsed.GetValue(json), cancellation);
            return (int)ExitCode.Done;
        });
        return train;
    }

    private static Command Score(Terminal terminal, Option<bool> json)
    {
        var (data, device, threads) = (Data(), Device(), Threads());
        var folder = new Argument<string>("DIR") { Description = "the reward model's folder" };
        var batch = new Option<int>("--batch") { Description = "texts of a forward, at most", DefaultValueFactory = _ => 16 };
        var score = new Command("score", Help.Line("what a reward model makes of preference pairs", "reward-model score models/reward --data pairs.jsonl")) { folder, data, batch, device, threads };
        score.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(folder)!;
            ModelFolder.Explain("DIR", () => Diffusion.RewardModels.RewardModelInfo.Read(path));
            await RewardModelScores.PrintAsync(
                terminal, path, parsed.GetValue(data)!, parsed.GetValue(device)!, Within("--batch", parsed.GetValue(batch), 1, 4096), () => LoadTorch(parsed.GetValue(device)!, parsed.GetValue(threads)), parsed.GetValue(json), cancellation);
            return (int)ExitCode.Done;
        });
        return score;
    }

    private static Option<string> Data() => new("--data") { Description = "pairs as JSON objects, one a line: {\"prompt\": ..., \"chosen\": ..., \"rejected\": ...}", HelpName = "FILE", Required = true };

    private static Option<string> Device() => new("--device") { Description = "cpu or cuda:N", DefaultValueFactory = _ => "cpu" };

    private static Option<int> Threads() => new("--threads") { Description = "threads of a forward on the CPU; with 1 the weights are the same to the bit every time", DefaultValueFactory = _ => 1 };

    private static void LoadTorch(string device, int threads)
    {
        RunComposition.RequireDevices(NativeBootstrap.Load(null), "--device", device);
        TorchThreads.Use(Math.Clamp(threads, 1, 1024));
    }

    private static T Within<T>(string option, T value, T least, T most)
        where T : struct, IComparable<T>, IFormattable
    {
        static string Text(T number) => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
        return value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0 ? value : throw new UserException(ExitCode.Usage, $"{option} must lie in {Text(least)} to {Text(most)}, got {Text(value)}");
    }
}
