using Lateral.Core.Rewards;

namespace Lateral.Rewards.Own;

/// <summary>
/// A reward that is somebody's own code, in an assembly of its own. It runs in this process with all its rights: it is no sandbox.
/// </summary>
/// <remarks>Making one loads nothing: the assembly is loaded once, by <see cref="PrepareAsync"/> or the first rollout, and for the life of the process.</remarks>
internal sealed class OwnReward(string path, string? type, string? settings) : IPreparedReward, IAsyncDisposable
{
    /// <summary>Remembers a failure, too: what is missing now would be loaded half.</summary>
    private readonly Lazy<IReward> _reward = new(() => OwnRewardLoader.Load(path, type, settings));

    public async Task PrepareAsync(CancellationToken cancellation)
    {
        try
        {
            if (_reward.Value is IPreparedReward prepared) await prepared.PrepareAsync(cancellation).ConfigureAwait(false);
        }
        catch (OwnRewardException broken)
        {
            throw new RewardUnavailableException($"reward kind assembly: {broken.Message}", broken);
        }
    }

    public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        IReward reward;
        try
        {
            reward = _reward.Value;
        }
        catch (OwnRewardException broken)
        {
            return new RewardOutcome.InfraFault($"assembly: {broken.Message}");
        }

        return await reward.ScoreAsync(request, cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_reward.IsValueCreated) return;
        if (_reward.Value is IAsyncDisposable slow) await slow.DisposeAsync().ConfigureAwait(false);
        else (_reward.Value as IDisposable)?.Dispose();
    }
}
