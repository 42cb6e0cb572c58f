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

    /// <summary>Looks whether the journal could be used, and changes nothing.</summary>
    /// <returns>where it is, for messages</returns>
    /// <exception cref="RunHostException">it cannot be used; the message says what, why, and what to set</exception>
    public static string Reach(RunSettings settings) => Journal.Of(settings).Reach();

    /// <exception cref="RunHostException">a run that is to begin has a journal: one that outlived its run directory, whose events would become this run's</exception>
    public static void RequireNone(RunSettings settings)
    {
        var journal = Journal.Of(settings);
        if (journal.Exists) throw new RunHostException($"there is a journal of an earlier run of this name and place ({journal.Reach()}), and its run directory is gone - remove that folder, or choose another --name");
    }

    /// <summary>Makes the copy in the run directory the journal, where that was lost.</summary>
    /// <param name="forget">told the copy's last step before anything is changed: what the run directory says of later ones is not so any more</param>
    /// <returns>what was done and what is lost, for messages</returns>
    /// <exception cref="RunHostException">the run keeps no copy, there is none, or the journal is there</exception>
    public static string Restore(RunSettings settings, Action<int> forget) => Journal.Of(settings).Restore(forget);

    /// <summary>What the journal knows of one rollout group; an empty group where it knows nothing.</summary>
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static RolloutGroup Group(RunSettings settings, long ordinal) =>
        Read<IGroupEvent>(settings, $"group-{settings.Name}-{ordinal}")
            .Aggregate(RolloutGroup.Of(ordinal, settings), (group, change) => group.Apply(change));

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
