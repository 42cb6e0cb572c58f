namespace Lateral.Configuration.Tests;

/// <summary>A fact about files that only Unix has, such as /dev/zero; skipped, saying so, elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "needs /dev/zero";
    }
}
