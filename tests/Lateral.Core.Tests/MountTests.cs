namespace Lateral.Core.Tests;

/// <summary>Which file system a folder lies on, from the kernel's table; the longest mount point wins.</summary>
public sealed class MountTests : IDisposable
{
    private const string Table = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        25 22 0:21 / /proc rw,nosuid shared:12 - proc proc rw
        36 22 0:42 /export /home rw,noatime shared:2 master:7 - nfs4 server:/export rw,vers=4.2
        37 36 8:2 / /home/me/scratch rw - xfs /dev/sdb1 rw
        38 22 0:43 / /mnt/with\040space\011and\134slash rw - cifs //server/share rw
        39 37 0:42 /export/me/runs /home/me/scratch/runs rw shared:2 - nfs4 server:/export rw
        40 22 0:50 / /mnt/s3 rw - fuse.s3fs s3fs rw
        41 22 0:51 / /data rw - 9p host rw
        42 22 8:3 / /data rw - btrfs /dev/sdc1 rw
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-mount-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("/", "ext4", "/", false)]
    [InlineData("/homes", "ext4", "/", false)]
    [InlineData("/home", "nfs4", "/home", true)]
    [InlineData("/home/you/runs/first", "nfs4", "/home", true)]
    // A local disk inside a network's folder, and a bind mount of the network's inside that.
    [InlineData("/home/me/scratch/first", "xfs", "/home/me/scratch", false)]
    [InlineData("/home/me/scratch/runs/first", "nfs4", "/home/me/scratch/runs", true)]
    [InlineData("/mnt/with space\tand\\slash/runs", "cifs", "/mnt/with space\tand\\slash", true)]
    [InlineData("/mnt/s3/runs", "fuse.s3fs", "/mnt/s3", true)]
    // The later mount hides the earlier one.
    [InlineData("/data/runs", "btrfs", "/data", false)]
    public void Longest_mount_point_must_say_where_a_path_lies(string path, string type, string point, bool network)
    {
        var mount = Mount.Of(Table, path)!;
        Assert.Equal((type, point, network), (mount.Type, mount.Point, mount.IsNetwork));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n36 35 98:0 / /mnt rw\nnonsense\n- - - - - - -")]
    public void Table_that_says_nothing_must_be_no_answer(string table) => Assert.Null(Mount.Of(table, "/mnt/runs"));

    [Fact]
    public void Links_must_be_followed_also_to_folders_that_are_not_there_yet()
    {
        if (OperatingSystem.IsWindows()) return;
        var real = Mount.RealPath(_folder);
        Directory.CreateDirectory(Path.Combine(_folder, "net", "runs"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "short"), Path.Combine(_folder, "net"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "net", "up"), "../short/./runs");
        Assert.Equal(Path.Combine(real, "net", "runs", "first"), Mount.RealPath(Path.Combine(_folder, "short", "runs", "first")));
        Assert.Equal(Path.Combine(real, "net", "runs", "new", "one"), Mount.RealPath(Path.Combine(_folder, "short", "up", "new", "one")));
        var table = $"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:42 / {real}/net rw - nfs server:/ rw\n";
        Assert.Equal("nfs", Mount.Of(table, Mount.RealPath(Path.Combine(_folder, "short", "runs")))!.Type);

        Directory.CreateSymbolicLink(Path.Combine(_folder, "a"), Path.Combine(_folder, "b"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "b"), Path.Combine(_folder, "a"));
        Assert.Throws<IOException>(() => Mount.RealPath(Path.Combine(_folder, "a", "runs")));
    }

    [Fact]
    public void Temporary_folder_of_this_machine_must_be_accepted()
    {
        var mount = Mount.Of(Path.Combine(_folder, "run"));
        Assert.NotNull(mount);
        Assert.False(mount.IsNetwork, mount.ToString());
    }
}
