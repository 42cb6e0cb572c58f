using Lateral.Core.Prompts;
using Lateral.Core.Runs;
using Lateral.Diffusion.Tokens;
using Lateral.Node.Evaluation;
using Lateral.Rewards.Tasks;

namespace Lateral.Node.Composition;

/// <summary>The part of a run that needs no torch: its task, its tokens, its prompts and its verifiers.</summary>
public sealed record TaskComposition(ITask Task, ITokenizer Tokenizer, PromptEncoder Encoder, IPromptSource Prompts, RunRewards Rewards)
{
    /// <exception cref="UserException">the task or a verifier cannot be made from the settings</exception>
    public static TaskComposition Of(RunSettings settings)
    {
        var generated = settings.Data is null ? Make(() => TaskRegistry.Create(settings.Task.Name, settings.Task.Parameters, settings.Seed)) : null;
        var tokenizer = RunTokenizer.Of(settings.Model, generated?.Alphabet);
        var encoder = RunTokenizer.Encoder(settings.Model, tokenizer);
        var task = generated ?? RunData.Task(settings, settings.Data!, tokenizer, encoder);
        if (ShippedPlugins.RoomMistake(settings, task, tokenizer) is { } mistake) throw new UserException(ExitCode.Usage, mistake);
        return new TaskComposition(task, tokenizer, encoder, new TaskPrompts(task, tokenizer, encoder, settings.FirstPrompt), RunRewards.Of(settings)) { PromptLimit = settings.Data?.MaxPromptTokens };
    }

    public AnswerJudge Judge(RunSettings settings) => new([.. settings.Pools.Select(pool => new JudgePool(pool, Rewards[pool.Name]))]) { FinalAnswer = Task.FinalAnswer };

    /// <summary>Tokens that no prompt exceeds; null = the task's prompts have one length or few.</summary>
    public int? PromptLimit { get; init; }

    /// <summary>The limit, or the longest prompt of the held-out split.</summary>
    public int LongestPrompt() => PromptLimit ?? Enumerable.Range(0, Prompts.HeldOutCount).Max(index => Prompts.HeldOut(index).Tokens.Length);

    private static T Make<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (TaskSettingException mistake)
        {
            throw new UserException(ExitCode.Usage, mistake.Message, mistake);
        }
    }
}
