using Lateral.Core;

namespace Lateral.Chaos.Deployment;

/// <summary>The folder of one node's failpoints (<see cref="Failpoint"/>).</summary>
internal sealed class Failpoints
{
    private readonly string _folder;

    public Failpoints(string folder)
    {
        Directory.CreateDirectory(folder);
        _folder = folder;
    }

    public string Folder => _folder;

    /// <summary>Whole when it appears, because the process may look at any moment.</summary>
    public void Arm(string place, string action)
    {
        File.Delete(Taken(place));
        var half = Path.Combine(_folder, $".{place}");
        File.WriteAllText(half, action);
        File.Move(half, Path.Combine(_folder, place), overwrite: true);
    }

    /// <returns>whether it was still waiting, so that it will not happen any more</returns>
    public bool Disarm(string place)
    {
        var file = Path.Combine(_folder, place);
        if (!File.Exists(file)) return false;
        File.Delete(file);
        return true;
    }

    public bool Happened(string place) => File.Exists(Taken(place));

    private string Taken(string place) => Path.Combine(_folder, place + Failpoint.Taken);
}
