using Lateral.Rewards.Sandbox;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Code;

/// <summary>The sandbox's keys, for every kind that runs programs.</summary>
internal static class CodeSettings
{
    public static SandboxSettings Of(VerifierKeys keys)
    {
        var settings = new SandboxSettings
        {
            Python = keys.Optional("python"),
            TimeLimit = TimeSpan.FromSeconds(keys.Number("time-limit", 0.1, 600, "seconds of one program")),
            MemoryLimit = (long)keys.Int("memory-limit", 32, 65_536, "MiB of all processes of a program together") << 20,
            Processes = keys.Int("processes", 1, 1_000, "processes and threads of a program"),
            AcceptUnsandboxed = keys.Switch("accept-unsandboxed"),
        };
        return keys.Optional("slots") is null ? settings : settings with { Slots = keys.Int("slots", 1, 256, "programs run at once") };
    }
}
