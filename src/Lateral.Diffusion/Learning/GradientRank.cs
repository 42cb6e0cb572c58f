using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// A learner rank that has weights and no optimizer: the same shards under the same weights give the same gradients as the
/// learner's own engine, to the bit on a CPU.
/// </summary>
public sealed class GradientRank : IGradientRank
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly GrpoSettings _settings;
    private readonly IAdvantage _advantage;
    private readonly DeviceThread _thread;
    private readonly Task _built;
    private int _disposed;

    // Tensors are touched on the device thread only.
    private TransformerModel? _model;
    private ShardGradients? _shards;
    private string _loaded = "";
    private GroupBatch? _batch;

    public GradientRank(GrpoSettings settings, PolicyNetwork network)
    {
        _settings = settings.Checked();
        _advantage = settings.Advantage ?? throw new ArgumentException("a critic is on the learner's device only", nameof(settings));
        _thread = new($"learner rank on {settings.Device}", StopDeadline);
        _built = _thread.Run(() =>
        {
            _model = network.Build(device(settings.Device), trainable: true);
            _model.ActivationCheckpointing = settings.Algorithm.ActivationCheckpointing;
            _shards = new(settings, _model);
        });
    }

    public async Task LoadAsync(PolicyManifest weights, string path, CancellationToken cancellation)
    {
        await _built.WaitAsync(cancellation).ConfigureAwait(false);
        if (_loaded == weights.Hash) return;
        await PolicyWeights.VerifyAsync(weights, path).ConfigureAwait(false);
        _loaded = "";
        await _thread.Run(() => PolicyWeights.Load(_model!, path)).WaitAsync(cancellation).ConfigureAwait(false);
        _loaded = weights.Hash;
    }

    public async Task<(float[] Gradient, ShardReport Report)> ComputeAsync(GradientUpdate update, int shard, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(update);
        if (update.Weights?.Hash != _loaded) throw new InvalidOperationException($"the gradients of step {update.Batch.Step} are of weights {update.Weights?.Hash}, and '{_loaded}' is loaded");
        return await _thread.Run(
            () =>
            {
                if (_shards!.Length != update.Length) throw new InvalidOperationException($"the learner's model has {update.Length:N0} parameters and this one {_shards.Length:N0}: start both with the same files");
                if (!ReferenceEquals(_batch?.Source, update.Batch)) _batch = GroupBatch.From(update.Batch, _advantage, update.Shards);
                (float[], ShardReport)? computed = null;
                _shards.Compute(_batch!, update.Update, shard, update.Cuts?[shard], (gradient, report) => computed = (gradient.ToArray(), report));
                return computed!.Value;
            },
            Autograd.On).WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <exception cref="TimeoutException">the device thread is stuck in a shard</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        try
        {
            await _thread.Run(() => _model?.Dispose()).WaitAsync(StopDeadline).ConfigureAwait(false);
        }
        finally
        {
            _thread.Dispose();
        }
    }
}
