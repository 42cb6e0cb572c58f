using System.Collections.Immutable;
using System.Security.Cryptography;
using Lateral.Core;
using Lateral.Diffusion.RewardModels;
using Lateral.Rewards.Data;

namespace Lateral.Node.Composition;

/// <summary>A file of preferences as a reward model reads them.</summary>
/// <param name="Sha256">of the file</param>
internal sealed record PreferenceData(string Sha256, IReadOnlyList<PreferenceRow> Rows, ImmutableArray<PreferencePair> Pairs)
{
    /// <param name="maxLength">tokens of the longest text that the model reads</param>
    /// <exception cref="DataException">a row is wrong, too long, or has a completion without a token; says where</exception>
    public static PreferenceData Read(string path, RewardTokens tokens, int maxLength)
    {
        var rows = PreferenceFile.Read(path);
        return new(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), rows, [.. rows.Select(row => new PreferencePair(Text(row, "chosen", row.Chosen), Text(row, "rejected", row.Rejected), row.Margin))]);

        RewardText Text(PreferenceRow row, string which, string completion)
        {
            var text = tokens.Of(row.Prompt, completion);
            if (text.Completion.IsEmpty) throw row.Wrong($"has an empty '{which}'", "the model has no end token that could stand for it", "leave the row out");
            if (text.Length > maxLength)
                throw row.Wrong($"has {text.Length} tokens in prompt and '{which}'", $"the model reads at most {maxLength} (prompt {text.Prompt.Length}, completion {text.Completion.Length})", "shorten it, leave the row out, or begin with a model that reads more");
            return text;
        }
    }

    /// <summary>Draws the prompts that are held out, with all of their pairs: a prompt that was learned from proves nothing.</summary>
    /// <param name="share">of the prompts, 0 .. 1; at least one is held out unless it is 0, and one is left</param>
    /// <exception cref="UserException">there is one prompt only</exception>
    public (IReadOnlyList<PreferencePair> Training, IReadOnlyList<PreferencePair> HeldOut) Split(double share, ulong seed)
    {
        if (share == 0) return (Pairs, []);
        var random = new CounterRandom(seed);
        string[] prompts = [.. Rows.Select(row => row.Prompt).Distinct(StringComparer.Ordinal)];
        if (prompts.Length == 1) throw new UserException(ExitCode.Usage, "--data has one prompt only, so none can be held out - write --held-out 0, or give more");
        var held = prompts.Index().OrderBy(prompt => random.Bits(RandomStream.Prompt, prompt.Index)).Take(Math.Clamp((int)Math.Round(share * prompts.Length), 1, prompts.Length - 1)).Select(prompt => prompt.Item).ToHashSet(StringComparer.Ordinal);
        var sides = Rows.Zip(Pairs).ToLookup(pair => held.Contains(pair.Item1.Prompt), pair => pair.Item2);
        return ([.. sides[false]], [.. sides[true]]);
    }
}
