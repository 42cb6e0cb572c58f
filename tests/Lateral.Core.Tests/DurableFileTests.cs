namespace Lateral.Core.Tests;

public sealed class DurableFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-durable-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Sweep_must_remove_what_was_half_written_and_nothing_else()
    {
        DurableFile.WriteText(File("v1.safetensors"), "whole");
        DurableFile.WriteText(File(".hidden"), "somebody else's");
        System.IO.File.WriteAllText(File(".v2.safetensors.0123.tmp"), "ha");
        Directory.CreateDirectory(File(".step_5.0123.tmp"));
        System.IO.File.WriteAllText(Path.Combine(File(".step_5.0123.tmp"), "model.safetensors"), "ha");
        Directory.CreateDirectory(File(".step_4.0123.old"));
        Directory.CreateDirectory(File("step_4"));
        DurableFile.Sweep(_folder);
        Assert.Equal([".hidden", "step_4", "v1.safetensors"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        DurableFile.Sweep(File("absent"));
    }

    [Fact]
    public void Write_that_fails_must_leave_the_old_content_and_no_other_file()
    {
        DurableFile.WriteText(File("a"), "old");
        Assert.Throws<InvalidDataException>(() => DurableFile.Write(File("a"), _ => throw new InvalidDataException("no")));
        Assert.Equal("old", System.IO.File.ReadAllText(File("a")));
        Assert.Equal([File("a")], Directory.EnumerateFileSystemEntries(_folder, "*", new EnumerationOptions { AttributesToSkip = FileAttributes.None }));
    }

    private string File(string name) => Path.Combine(_folder, name);
}
