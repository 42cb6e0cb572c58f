using System.Globalization;
using System.Text.Json;
using Lateral.Chaos.Faults;

namespace Lateral.Chaos.Verdicts;

/// <summary>The verdict as a table, or as one JSON object.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Web) { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static void Write(TextWriter to, Options options, IReadOnlyList<Injected> faults, IReadOnlyList<Check> checks)
    {
        if (options.Json) to.WriteLine(JsonSerializer.Serialize(Summary(options, faults, checks), Json));
        else Table(to, options, faults, checks);
    }

    private static void Table(TextWriter to, Options options, IReadOnlyList<Injected> faults, IReadOnlyList<Check> checks)
    {
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nverdict of seed {options.Seed}, {options.Minutes} minutes"));
        var (names, values, targets) = (checks.Max(check => check.Name.Length), checks.Max(check => check.Value.Length), checks.Max(check => check.Target.Length));
        foreach (var check in checks)
            to.WriteLine($"  {check.Name.PadRight(names)}  {check.Value.PadRight(values)}  {check.Target.PadRight(targets)}  {(check.Target.Length == 0 ? "" : check.Ok ? "ok" : check.Proof ? "FAILED" : "missed")}".TrimEnd());
        to.WriteLine(checks.All(check => check.Ok || !check.Proof) ? $"nothing was lost in {faults.Count(fault => fault.Skipped is null)} faults" : "FAILED");
    }

    private static object Summary(Options options, IReadOnlyList<Injected> faults, IReadOnlyList<Check> checks) => new
    {
        options.Seed,
        options.Minutes,
        Ok = checks.All(check => check.Ok || !check.Proof),
        Checks = checks,
        Faults = faults.Select(fault => new
        {
            Kind = fault.Fault.Kind.ToString(),
            fault.Fault.Part,
            fault.Fault.Detail,
            At = fault.Began.TotalSeconds,
            Over = fault.Over.TotalSeconds,
            Resumed = fault.Resumed?.TotalSeconds,
            fault.Recovery,
            fault.Skipped,
        }),
    };
}
