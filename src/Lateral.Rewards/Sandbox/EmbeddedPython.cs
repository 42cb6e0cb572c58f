using System.Reflection;

namespace Lateral.Rewards.Sandbox;

/// <summary>Python programs that this assembly carries.</summary>
internal static class EmbeddedPython
{
    public static string Text(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"this assembly carries no {name}"));
        return reader.ReadToEnd();
    }
}
