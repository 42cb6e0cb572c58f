using System.Text.Json;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>
/// Items in a file that goes with the process, so that a data set of any size takes eight bytes of memory a row: a row of a
/// packed or columnar file could not be read alone. Reads may come from any thread.
/// </summary>
internal sealed class ItemStore : IDisposable
{
    private readonly FileStream _file;
    private readonly List<long> _begins = [];

    /// <exception cref="IOException">the system's folder for temporary files cannot be written</exception>
    public ItemStore()
    {
        var path = Path.Combine(Path.GetTempPath(), $"lateral-{Guid.NewGuid():N}.rows");
        _file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.DeleteOnClose | FileOptions.RandomAccess, BufferSize = 1 << 16 });
        // A process that is killed closes nothing: without a name the file goes with its last handle. Windows deletes it by itself.
        if (!OperatingSystem.IsWindows()) File.Delete(path);
    }

    public int Count => _begins.Count;

    public void Add(TaskItem item)
    {
        _begins.Add(_file.Position);
        JsonSerializer.Serialize(_file, item);
    }

    /// <summary>Nothing is added any more.</summary>
    public void Seal()
    {
        _begins.Add(_file.Position);
        _begins.TrimExcess();
        _file.Flush();
    }

    public TaskItem Read(int index)
    {
        var bytes = new byte[_begins[index + 1] - _begins[index]];
        for (var read = 0; read < bytes.Length;)
        {
            var got = RandomAccess.Read(_file.SafeFileHandle, bytes.AsSpan(read), _begins[index] + read);
            read += got > 0 ? got : throw new EndOfStreamException($"{_file.Name} ends in its row {index}: somebody has cut it");
        }

        return JsonSerializer.Deserialize<TaskItem>(bytes)!;
    }

    public void Dispose() => _file.Dispose();
}
