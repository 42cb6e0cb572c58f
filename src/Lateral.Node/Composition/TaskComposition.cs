using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Evaluation;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Composition;

/// <summary>The part of a run that needs no torch: its task, its tokens, its prompts and its verifiers.</summary>
public sealed record TaskComposition(ITask Task, ITokenizer Tokenizer, PromptEncoder Encoder, IPromptSource Prompts, ImmutableDictionary<string, IReward> Rewards)
{
    /// <exception cref="UserException">the task or a verifier cannot be made from the settings</exception>
    public static TaskComposition Of(RunSettings settings)
    {
        var generated = settings.Data is null ? Make(() => TaskRegistry.Create(settings.Task.Name, settings.Task.Parameters, settings.Seed)) : null;
        var tokenizer = RunTokenizer.Of(settings.Model, generated?.Alphabet);
        var encoder = RunTokenizer.Encoder(settings.Model, tokenizer);
        var task = generated ?? RunData.Task(settings, settings.Data!, tokenizer, encoder);
        if (ShippedPlugins.RoomMistake(settings, task, tokenizer) is { } mistake) throw new UserException(ExitCode.Usage, mistake);
        var rewards = settings.Pools.ToImmutableDictionary(pool => pool.Name, pool => PoisonedReward.Around(Make(() => VerifierRegistry.Create(pool.Kind, pool.Parameters), $"reward.pools.{pool.Name}.")), StringComparer.Ordinal);
        return new TaskComposition(task, tokenizer, encoder, new TaskPrompts(task, tokenizer, encoder, settings.FirstPrompt), rewards) { PromptLimit = settings.Data?.MaxPromptTokens };
    }

    public AnswerJudge Judge(RunSettings settings) => new([.. settings.Pools.Select(pool => new JudgePool(pool, Rewards[pool.Name]))]) { FinalAnswer = Task.FinalAnswer };

    /// <summary>Tokens that no prompt exceeds; null = the task's prompts have one length or few.</summary>
    public int? PromptLimit { get; init; }

    /// <summary>The limit, or the longest prompt of the held-out split.</summary>
    public int LongestPrompt() => PromptLimit ?? Enumerable.Range(0, Prompts.HeldOutCount).Max(index => Prompts.HeldOut(index).Tokens.Length);

    private static T Make<T>(Func<T> make, string where = "")
    {
        try
        {
            return make();
        }
        catch (Exception mistake) when (mistake is TaskSettingException or RewardSettingException)
        {
            throw new UserException(ExitCode.Usage, where + mistake.Message, mistake);
        }
    }
}
