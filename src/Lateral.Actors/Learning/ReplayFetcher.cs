using Akka.Actor;
using Lateral.Actors.Runs;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>Asks the ledger for the steps after a checkpoint, one by one, each with a deadline.</summary>
internal sealed class ReplayFetcher(IActorRef run, TimeSpan deadline)
{
    private const int Attempts = 3;

    /// <exception cref="BatchUnavailableException">the ledger did not answer, or does not have the step for this learner</exception>
    public async Task<ReplayStep> FetchAsync(int epoch, int step, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await run.Ask<object>(new RunProtocol.GetStepToReplay(epoch, step), deadline, cancellation) switch
                {
                    RunProtocol.StepToReplay found when found.Step.Trained.Step == step => found.Step,
                    RunProtocol.LearnerFenced => throw new BatchUnavailableException($"step {step} is not epoch {epoch}'s to replay: another learner has the run"),
                    var other => throw new BatchUnavailableException($"the ledger was asked for step {step} and answered {other}"),
                };
            }
            catch (AskTimeoutException) when (attempt < Attempts)
            {
                // The ledger may be recovering, or moving to another node.
            }
            catch (AskTimeoutException timeout)
            {
                throw new BatchUnavailableException($"the ledger did not answer {Attempts} times within {deadline.TotalSeconds:0} s when asked for step {step}", timeout);
            }
        }
    }
}
