using System.Diagnostics;

namespace Lateral.Node.Tests.Processes;

/// <summary>A disk that fills up in the middle of a run: a tmpfs of its own, which only root can mount.</summary>
public sealed class FullDiskTests
{
    private const string Conf = """
        run { steps = 200, seed = 3 }
        task { name = sort5 }
        reward.pools.answer { kind = sort }
        reward.on-constant = go-on
        warmup { steps = 5, batch = 16 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 2, group-size = 4, gen-length = 5, steps = 3 }
        eval { every = 0, prompts = 4, final-prompts = 8, samples = 2 }
        checkpoint { every = 1, keep-last = 2 }
        """;

    [TmpfsFact]
    public async Task Run_on_a_disk_that_fills_up_must_end_with_one_message_and_go_on_once_there_is_space()
    {
        using var disk = new SmallDisk("96m");
        var conf = Path.Combine(disk.Path, "disk.conf");
        File.WriteAllText(conf, Conf);
        var filler = Path.Combine(disk.Path, "filler");
        using (var process = LateralProcess.Start("train", conf, "--name", "d", "--runs-dir", disk.Path))
        {
            await process.UntilAsync(p => p.Output.Contains("step 2/", StringComparison.Ordinal));
            Fill(filler);
            // Asked while it still tries, or already gives up.
            Assert.Equal("disk", (await Why.AskAsync("d", disk.Path)).Culprit);
            Assert.Equal(3, await process.ExitAsync());
            Assert.Matches("No space left on device|disk (is|was) full", process.Output);
            Assert.DoesNotContain("   at Lateral", process.Output, StringComparison.Ordinal);
        }

        var full = await Why.AskAsync("d", disk.Path);
        Assert.Equal(("ended", "disk"), (full.Verdict, full.Culprit));
        Assert.Contains("checkpoint.keep-last", full.Settings);
        File.Delete(filler);
        var freed = await Why.AskAsync("d", disk.Path);
        Assert.Equal(("ended", "disk", "go on with lateral resume"), (freed.Verdict, freed.Culprit, freed.Advice[0]));
        Assert.StartsWith("was full: ", freed.Text, StringComparison.Ordinal);
        var (verified, balance) = await LateralProcess.RunAsync("runs", "verify", "d", "--runs-dir", disk.Path);
        Assert.True(verified == 0, balance);
        var (code, output) = await LateralProcess.RunAsync("resume", "d", "--runs-dir", disk.Path, "--set", "run.steps=40");
        Assert.True(code == 0, output);
    }

    /// <summary>Takes every free byte.</summary>
    private static void Fill(string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var block = new byte[4096];
        try
        {
            while (true) stream.Write(block);
        }
        catch (IOException full) when ((full.HResult & 0xFFFF) == 28)
        {
            // Full is what this is for.
        }
    }

    private sealed class SmallDisk : IDisposable
    {
        public SmallDisk(string size)
        {
            Path = Directory.CreateTempSubdirectory("lateral-disk-").FullName;
            Assert.True(Mount(size, Path), "tmpfs was not mounted");
        }

        public string Path { get; }

        public static bool Mount(string size, string path) => Run("mount", "-t", "tmpfs", "-o", $"size={size}", "lateral-test", path);

        public static bool Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }

        public void Dispose()
        {
            Run("umount", "--lazy", Path);
            Directory.Delete(Path);
        }
    }

    /// <summary>A fact that mounts a tmpfs; skipped, saying so, where that is not allowed.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TmpfsFactAttribute : FactAttribute
    {
        public TmpfsFactAttribute()
        {
            if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Skip = "needs the right to mount a tmpfs (root on Linux)";
        }
    }
}
