using System.Globalization;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>The processes below this one, which tests look at and kill from outside.</summary>
internal static class Descendants
{
    /// <summary>Children of this process and theirs, ended ones left out.</summary>
    public static List<(int Id, string Name)> All()
    {
        var all = new List<(int Id, int Parent, string Name)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var behind = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                if (behind[0] != "Z") all.Add((int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), int.Parse(behind[1], CultureInfo.InvariantCulture), text[(text.IndexOf('(') + 1)..text.LastIndexOf(')')]));
            }
            catch (IOException)
            {
                // It ended between the two.
            }
        }

        var (found, parents) = (new List<(int, string)>(), new HashSet<int> { Environment.ProcessId });
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var (id, parent, name) in all)
            {
                if (!parents.Contains(parent) || !parents.Add(id)) continue;
                found.Add((id, name));
                grown = true;
            }
        }

        return found;
    }

    /// <summary>With SIGKILL.</summary>
    /// <returns>false = it went with its parent, which was killed before it</returns>
    public static bool Kill(int process)
    {
        try
        {
            using var victim = System.Diagnostics.Process.GetProcessById(process);
            victim.Kill();
            return true;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
