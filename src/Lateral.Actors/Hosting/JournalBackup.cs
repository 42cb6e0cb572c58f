using System.Globalization;
using Lateral.Core;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Hosting;

/// <summary>
/// <c>journal-backup.db</c> in the run directory: a copy of the events of a journal that is on the coordinator's own disk. Snapshots
/// follow from events and are not copied. The copy is made beside the journal and moved whole, because SQLite must not open
/// a file on the run directory's disk, which may be the network's.
/// </summary>
/// <remarks>Invariant: the checkpoints and policies of the versions that the copy's ledger goes on from are not pruned (<see cref="PinnedVersions"/>).</remarks>
internal sealed class JournalBackup(RunSettings settings, string folder)
{
    private readonly string _path = Path.Combine(settings.Directory, "journal-backup.db");
    private readonly string _events = Path.Combine(folder, "journal.db");
    private readonly string _copy = Path.Combine(folder, ".journal-backup.db.tmp");
    private long _copied;

    public bool Exists => File.Exists(_path);

    public TimeSpan Every => settings.Journal.BackupEvery;

    /// <summary>For messages: how old it is and where it ends.</summary>
    /// <exception cref="RunHostException">it cannot be read</exception>
    public string Describe()
    {
        var written = File.GetLastWriteTimeUtc(_path);
        var age = TimeProvider.System.GetUtcNow().UtcDateTime - written;
        return string.Create(CultureInfo.InvariantCulture, $"its copy {_path} is of {written:yyyy-MM-dd HH:mm:ss}Z ({Age(age)} old) and ends after step {LastStep()}: every later step, group and reward is lost with the journal");
    }

    /// <summary>Copies the journal, if something was written since it was copied last.</summary>
    /// <exception cref="IOException">the run directory cannot be written, or its disk is full; the copy before this one still stands</exception>
    /// <exception cref="SqliteException">the journal cannot be read, or its disk is full</exception>
    public void Write()
    {
        using var source = Open(new SqliteConnectionStringBuilder { DataSource = _events, Mode = SqliteOpenMode.ReadOnly });
        // One state for all: of its versions and of the copy.
        using var state = source.BeginTransaction(deferred: true);
        if (Newest(source) is not { } newest || (newest == _copied && Exists)) return;
        var ledger = Journal.Read<IRunEvent>(source, $"run-{settings.Name}").Aggregate(new RunLedger(settings.Ledger), (ledger, read) => ledger.Apply(read.Event));
        int[] pinned = [.. ledger.Checkpoints.Select(checkpoint => checkpoint.Step), .. ledger.Policies.Keys];
        // Until the new copy is there, the old one counts.
        PinnedVersions.Write(settings.Directory, pinned.Concat(PinnedVersions.Read(settings.Directory)));
        File.Delete(_copy);
        try
        {
            using (var copy = Open(new SqliteConnectionStringBuilder { DataSource = _copy }))
            {
                Execute(copy, "PRAGMA synchronous=OFF");
                source.BackupDatabase(copy);
                // Whole without a write-ahead log beside it.
                Execute(copy, "PRAGMA journal_mode=DELETE");
            }

            // What a killed coordinator left is as large as the journal.
            foreach (var left in Directory.EnumerateFiles(settings.Directory, $".{Path.GetFileName(_path)}.*.tmp")) File.Delete(left);
            using var content = File.OpenRead(_copy);
            DurableFile.Write(_path, content.CopyTo, content.Length);
        }
        finally
        {
            File.Delete(_copy);
        }

        PinnedVersions.Write(settings.Directory, pinned);
        _copied = newest;
    }

    /// <summary>Makes the copy the journal. What other files of an earlier journal are left goes: it belongs to other events.</summary>
    /// <param name="forget">told the copy's last step before anything is changed</param>
    /// <exception cref="RunHostException">there is a journal, or no copy</exception>
    public string Restore(Action<int> forget)
    {
        if (File.Exists(_events)) throw new RunHostException($"run {settings.Name} has its journal, {_events}, which is newer than the copy in the run directory - leave --from-backup out, or move that file away if it cannot be read");
        if (!Exists) throw new RunHostException($"there is no copy of the journal at {_path}: it is made while a run with journal.dir goes on");
        var described = Describe();
        forget(LastStep());
        Directory.CreateDirectory(folder);
        foreach (var left in new[] { "journal.db-wal", "journal.db-shm", "snapshots.db", "snapshots.db-wal", "snapshots.db-shm" }) File.Delete(Path.Combine(folder, left));
        using var content = File.OpenRead(_path);
        DurableFile.Write(_events, content.CopyTo, content.Length);
        return $"{_events} was restored: {described}";
    }

    private int LastStep()
    {
        try
        {
            // Immutable: no locks, and no files beside it.
            using var connection = Open(new SqliteConnectionStringBuilder { DataSource = $"{new Uri(_path).AbsoluteUri}?immutable=1", Mode = SqliteOpenMode.ReadOnly });
            return Journal.Read<IRunEvent>(connection, $"run-{settings.Name}").Select(read => read.Event).OfType<StepTrained>().LastOrDefault()?.Step ?? 0;
        }
        catch (SqliteException failure)
        {
            throw new RunHostException($"the copy of the journal {_path} cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>Number of the newest event of any actor; null before there is one.</summary>
    private static long? Newest(SqliteConnection connection)
    {
        using var table = connection.CreateCommand();
        table.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = 'journal'";
        if (table.ExecuteScalar() is not 1L) return null;
        using var newest = connection.CreateCommand();
        newest.CommandText = "SELECT max(ordering) FROM journal";
        return newest.ExecuteScalar() as long?;
    }

    private static SqliteConnection Open(SqliteConnectionStringBuilder how)
    {
        how.Pooling = false;
        var connection = new SqliteConnection(how.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => $"{age.TotalDays:0} days",
        { TotalHours: >= 2 } => $"{age.TotalHours:0} h",
        { TotalMinutes: >= 2 } => $"{age.TotalMinutes:0} min",
        _ => $"{Math.Max(0, age.TotalSeconds):0} s",
    };
}
