using System.Collections.Immutable;
using System.Data.Common;
using Lateral.Actors.Hosting;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>A run's journal, read without an actor system: while the run goes on, or long after.</summary>
public static class RunJournal
{
    /// <summary>The ledger's events, oldest first.</summary>
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static ImmutableArray<IRunEvent> Events(RunSettings settings) => Read<IRunEvent>(settings, $"run-{settings.Name}");

    /// <summary>What the journal knows of one rollout group; an empty group where it knows nothing.</summary>
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static RolloutGroup Group(RunSettings settings, long ordinal) =>
        Read<IGroupEvent>(settings, $"group-{settings.Name}-{ordinal}")
            .Aggregate(new RolloutGroup(ordinal, settings.Rollout.GroupSize, settings.Pools), (group, change) => group.Apply(change));

    private static ImmutableArray<T> Read<T>(RunSettings settings, string persistenceId)
    {
        var journal = Journal.Of(settings);
        try
        {
            using var connection = journal.OpenForReading();
            return [.. Journal.Read<T>(connection, persistenceId).Select(read => read.Event)];
        }
        catch (DbException failure)
        {
            throw journal.Explain(failure);
        }
    }
}
