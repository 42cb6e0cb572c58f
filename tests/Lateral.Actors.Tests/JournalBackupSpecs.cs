using Lateral.Actors.Hosting;
using Lateral.Core;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Tests;

/// <summary>A journal on a disk of the coordinator's own: never on a network, copied into the run directory, restored from there only when asked.</summary>
public sealed class JournalBackupSpecs : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    private string Disk => Path.Combine(_directory, "disk");

    private string Copy => Path.Combine(_directory, "run", "journal-backup.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Network_file_system_must_be_refused_before_anything_is_written()
    {
        var settings = TestEngines.Settings(Path.Combine(_directory, "run"));
        var refused = Assert.Throws<RunHostException>(() => new SqliteJournal(settings, _ => new Mount("nfs4", "/home")).Probe());
        foreach (var phrase in new[] { Path.Combine(_directory, "run"), "nfs4, mounted at /home", "write journal.dir = /a/folder/on/a/local/disk", "journal.kind = postgres" })
            Assert.Contains(phrase, refused.Message, StringComparison.Ordinal);
        // The run directory may be there, if the journal is not.
        var elsewhere = Settings();
        new SqliteJournal(elsewhere, folder => new Mount(folder.StartsWith(Disk, StringComparison.Ordinal) ? "ext4" : "nfs4", "/")).Probe();
        Assert.Equal([Path.Combine(Disk, elsewhere.UniqueName())], Directory.EnumerateDirectories(Disk));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere.Directory));
    }

    [Fact]
    public void Runs_of_one_name_in_different_places_must_not_meet()
    {
        var (one, other) = (TestEngines.Settings(Path.Combine(_directory, "a", "test")), TestEngines.Settings(Path.Combine(_directory, "b", "test")));
        Assert.Matches("^test-[0-9a-f]{12}$", one.UniqueName());
        Assert.NotEqual(one.UniqueName(), other.UniqueName());
        Assert.Equal(one.UniqueName(), (one with { Directory = Path.Combine(_directory, "b", "..", "a", "test") }).UniqueName());
    }

    [Fact]
    public async Task Lost_journal_must_be_refused_and_an_older_copy_taken_up_without_its_snapshots()
    {
        // 120 ledger events of groups a step: snapshots are written from step 9 on.
        var (settings, engines) = (Settings(steps: 12, groups: 60), new TestEngines());
        await RunUntilAsync(settings, engines, version: 9);
        var older = Path.Combine(_directory, "older.db");
        File.Copy(Copy, older);
        Assert.True(Count(Path.Combine(Disk, settings.UniqueName(), "snapshots.db"), "snapshot") > 0);
        var before = JournalAudit.Run(settings).Ledger.Version;
        var torn = Path.Combine(settings.Directory, ".journal-backup.db.0.tmp");
        File.WriteAllText(torn, "of a coordinator that was killed");
        await RunUntilAsync(settings with { Steps = 14 }, engines, version: 11);

        // This process's connections still hold the old file, as those of another machine would not.
        SqliteConnection.ClearAllPools();
        Directory.Delete(Disk, recursive: true);
        File.Copy(older, Copy, overwrite: true);
        var refused = await Assert.ThrowsAsync<RunHostException>(() => RunHost.StartAsync(settings, engines.ToRunEngines()));
        foreach (var phrase in new[] { Path.Combine(Disk, settings.UniqueName()), " s old) and ends after step ", "lost with the journal", "lateral resume test --from-backup" })
            Assert.Contains(phrase, refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Disk));
        Assert.Contains("on another machine or lost", Assert.Throws<RunHostException>(() => JournalAudit.Run(settings)).Message, StringComparison.Ordinal);

        var told = -1;
        Assert.Contains($"ends after step {before}", RunJournal.Restore(settings, step => told = step), StringComparison.Ordinal);
        Assert.Equal(before, told);
        Assert.Contains("has its journal", Assert.Throws<RunHostException>(() => RunJournal.Restore(settings, _ => { })).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Disk, settings.UniqueName(), "snapshots.db")));
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines())) await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var audit = JournalAudit.Run(settings);
        Assert.Empty(audit.Violations);
        Assert.Equal((12, 720L), (audit.Ledger.Version, audit.Ledger.Trained));
        Assert.False(File.Exists(torn));
        // The last copy is of the end, and says which versions it needs.
        Assert.Equal(Count(Path.Combine(Disk, settings.UniqueName(), "journal.db"), "journal"), Count(Copy, "journal"));
        Assert.Superset(audit.Ledger.Checkpoints.Select(checkpoint => checkpoint.Step).ToHashSet(), PinnedVersions.Read(settings.Directory).ToHashSet());
    }

    [Fact]
    public async Task Copy_that_cannot_be_written_must_be_told_once_and_not_hurt_the_run()
    {
        var settings = Settings(steps: 4);
        // A folder of the copy's name is in the way.
        Directory.CreateDirectory(Path.Combine(Copy, "x"));
        var engines = new TestEngines { Recording = Task.Delay(TimeSpan.FromSeconds(5)) };
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var notice = Assert.Single((await host.StatusAsync()).Notices);
        Assert.StartsWith("copying the journal into the run directory failed (", notice, StringComparison.Ordinal);
        await host.StopAsync();
        Assert.Empty(JournalAudit.Run(settings).Violations);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Disk, settings.UniqueName()), ".*.tmp"));
    }

    [Fact]
    public async Task Run_without_a_copy_must_have_nothing_to_restore()
    {
        var settings = TestEngines.Settings(Directory.CreateDirectory(Path.Combine(_directory, "run")).FullName);
        Assert.Contains("leave --from-backup out", Assert.Throws<RunHostException>(() => RunJournal.Restore(settings, _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("there is no copy", Assert.Throws<RunHostException>(() => RunJournal.Restore(Settings(), _ => { })).Message, StringComparison.Ordinal);
        await using (var host = await RunHost.StartAsync(settings, new TestEngines().ToRunEngines())) await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(File.Exists(Copy));
    }

    private RunSettings Settings(int steps = 4, int groups = 3)
    {
        var settings = TestEngines.Settings(Directory.CreateDirectory(Path.Combine(_directory, "run")).FullName, steps: steps, groups: groups);
        return settings with { Journal = settings.Journal with { Directory = Disk, BackupEvery = TimeSpan.FromSeconds(1) } };
    }

    private static async Task RunUntilAsync(RunSettings settings, TestEngines engines, int version)
    {
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        while ((await host.StatusAsync()).Ledger.Version < version) await Task.Delay(20);
        await host.StopAsync();
    }

    private static long Count(string database, string table)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table}";
        return (long)command.ExecuteScalar()!;
    }
}
