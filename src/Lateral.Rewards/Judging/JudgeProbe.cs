using System.Net;
using System.Text.Json;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Rewards.Judging;

/// <summary>
/// Proves before a run that its judge answers: the endpoint lists the model; or, where it keeps no list or one without the model (some know more names than
/// they list), one tiny judgement comes back.
/// </summary>
internal sealed class JudgeProbe(JudgeSettings settings, JudgeClient client, JudgePatience patience, JudgeReward reward)
{
    private const int ListedNames = 12;

    /// <summary>One that any model can judge.</summary>
    private static readonly RewardRequest Tiny = new(new RolloutId(0, 0), new Prompt(0, [], "What is 1 + 1?", "2"), "2");

    /// <summary>Ends the attempts; there is no verdict in a list of models.</summary>
    private static readonly JudgeAttempt Listed = JudgeAttempt.Refused("");

    /// <exception cref="RewardUnavailableException">it does not answer</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await reward.ProveFilesAsync(cancellation).ConfigureAwait(false);
        }
        catch (JudgeFileException broken)
        {
            throw Unavailable(broken.Message, broken);
        }

        IReadOnlyList<string>? models = null;
        var asked = await patience.AskAsync(async (_, token) =>
        {
            var received = await client.ModelsAsync(token).ConfigureAwait(false);
            // An endpoint without a list says so with one of these, or with a page for people.
            if (received.Body is not null || received.Status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented) models = Names(received.Body ?? []);
            return received.Failure ?? Listed;
        }, cancellation).ConfigureAwait(false);
        if (models is null) throw Unavailable(asked.Fault!);
        if (models.Contains(settings.Model, StringComparer.Ordinal)) return;

        var outcome = await reward.ScoreAsync(Tiny, cancellation).ConfigureAwait(false);
        if (outcome is not RewardOutcome.InfraFault judged) return;
        var what = judged.Kind["judge: ".Length..];
        throw Unavailable(models.Count == 0 ? what : $"{KnownNames.Unknown("model", settings.Model, [.. models.Take(ListedNames)])}{(models.Count > ListedNames ? ", ..." : "")}; asked all the same: {what}");
    }

    private static RewardUnavailableException Unavailable(string what, Exception? cause = null) =>
        new($"reward kind judge: {what}. The judge's verdicts are the reward, so the run is not begun without it", cause);

    private static IReadOnlyList<string> Names(byte[] body)
    {
        try
        {
            var list = JudgeReply.Field(JsonElement.Parse(body), "data");
            return list is { ValueKind: JsonValueKind.Array } models
                ? [.. models.EnumerateArray().Select(model => JudgeReply.Field(model, "id")).Where(id => id is { ValueKind: JsonValueKind.String }).Select(id => id!.Value.GetString()!)]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
