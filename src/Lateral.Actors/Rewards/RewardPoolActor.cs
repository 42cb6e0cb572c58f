using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Rollouts;
using Lateral.Core.Rewards;

namespace Lateral.Actors.Rewards;

/// <summary>A named reward pool on this node. Verifiers run on the thread pool; a poison rollout becomes an outcome, never a crash.</summary>
internal sealed class RewardPoolActor : ReceiveActor
{
    public RewardPoolActor(RewardPool pool)
    {
        Receive<RewardProtocol.ScoreRollouts>(request =>
        {
            var group = Sender;
            _ = Score(pool, request).PipeTo(group, Self);
        });
    }

    private static async Task<GroupProtocol.RolloutsScored> Score(RewardPool pool, RewardProtocol.ScoreRollouts request)
    {
        var outcomes = await pool.ScoreAsync(request.Requests);
        return new GroupProtocol.RolloutsScored(
            request.Group, pool.Spec.Name, [.. request.Requests.Zip(outcomes, (one, outcome) => (one.Id.Sibling, outcome))]);
    }
}
