using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.Json;
using Lateral.Core.Rewards;

namespace Lateral.Rewards.Tests.Own;

/// <summary>As users write them: the share of a length that is reached.</summary>
public sealed class LengthReward : IReward
{
    private readonly double _most;

    public LengthReward(string settings)
    {
        _most = JsonElement.Parse(settings).GetProperty("most").GetDouble();
        Made++;
    }

    public static int Made { get; private set; }

    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) =>
        new(new RewardOutcome.Scored(request.Completion.Length / _most, ImmutableSortedDictionary<string, double>.Empty.Add("length", request.Completion.Length / _most)));
}

/// <summary>Says which of its assemblies are the program's and which its own.</summary>
public sealed class DependencyReward : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) =>
        new(new RewardOutcome.ModelFault($"CsCheck {Where(typeof(CsCheck.Gen).Assembly)}, Lateral.Core {Where(typeof(IReward).Assembly)}"));

    private static string Where(Assembly assembly) => AssemblyLoadContext.GetLoadContext(assembly) == AssemblyLoadContext.Default ? "shared" : "apart";
}

/// <summary>Needs something of its machine, and leaves a file when it is disposed.</summary>
public sealed class PreparedReward(string settings) : IPreparedReward, IDisposable
{
    public Task PrepareAsync(CancellationToken cancellation) => settings == "no" ? throw new RewardUnavailableException("no machine") : Task.CompletedTask;

    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => new(new RewardOutcome.ModelFault("scored"));

    public void Dispose() => File.WriteAllText(settings, "disposed");
}

public sealed class SettingsReward(string settings) : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => new(new RewardOutcome.ModelFault($"settings '{settings}'"));
}

public sealed class ThrowingReward : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => throw new InvalidOperationException("not today");
}

public sealed class GreedyReward(int number) : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => new(new RewardOutcome.ModelFault($"{number}"));
}

public sealed class BrokenReward : IReward
{
    public BrokenReward() => throw new FormatException("the settings are no good");

    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => new(new RewardOutcome.ModelFault(""));
}

public abstract class AbstractReward : IReward
{
    public abstract ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation);
}

internal sealed class HiddenReward : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => new(new RewardOutcome.ModelFault(""));
}
