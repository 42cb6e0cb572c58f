using System.Runtime.CompilerServices;
using Akka.Actor;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Network;

/// <summary>
/// Akka's Ask measures its deadline on the machine's clock and resumes whoever awaits it on the thread pool. Here the deadline
/// is virtual and the await goes on where the answer arrives, or a run would not be its seed's alone.
/// </summary>
internal static class Questions
{
    public static void Prepare(FutureActorRef<object> asker, Stage stage, Process from, TimeSpan deadline)
    {
        var answer = Asked<object>.Result(asker);
        StateFlags(answer.Task) &= ~(int)TaskCreationOptions.RunContinuationsAsynchronously;
        stage.At(deadline, () =>
        {
            if (from.Alive) answer.TrySetException(new AskTimeoutException($"Timeout after {deadline} seconds"));
        });
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "m_stateFlags")]
    private static extern ref int StateFlags(Task task);

    private static class Asked<T>
    {
        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_result")]
        public static extern ref TaskCompletionSource<T> Result(FutureActorRef<T> asker);
    }
}
