using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Verifiers;

/// <summary>The keys of the reward kind <c>code</c>.</summary>
/// <param name="IsRate">the value is the share of tests that pass, not whether all do</param>
internal sealed record CodeSettings(bool IsRate, SandboxSettings Sandbox)
{
    public static CodeSettings Of(VerifierKeys keys) => new(keys.OneOf("value", "all", "rate") == "rate", SandboxOf(keys));

    /// <summary>The sandbox's own keys, for every kind that runs programs.</summary>
    public static SandboxSettings SandboxOf(VerifierKeys keys)
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
