using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.RewardModels;

/// <summary>Trains a reward model on a device. It owns a thread and the model; calls may come from any thread and are answered in turn.</summary>
public sealed class RewardLearner : IAsyncDisposable
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    private readonly DeviceThread _thread;
    private readonly RewardTrainingSettings _settings;
    private RewardModel _model = null!;
    private RewardTraining _training = null!;

    private RewardLearner(DeviceThread thread, RewardTrainingSettings settings) => (_thread, _settings) = (thread, settings);

    /// <summary>Updates done.</summary>
    public int Step { get; private set; }

    /// <param name="device">for example <c>cpu</c> or <c>cuda:0</c></param>
    /// <param name="spec">of a fresh model</param>
    public static Task<RewardLearner> FreshAsync(TransformerSpec spec, string device, RewardTrainingSettings settings, IReadOnlyList<PreferencePair> pairs) =>
        OpenAsync(device, settings, pairs, () => RewardModelStore.Fresh(spec, settings.Seed, On(device)));

    /// <param name="folder">of the model that it begins with</param>
    /// <exception cref="ModelException">the folder's files do not fit one another, or ask for mathematics that is not implemented</exception>
    /// <exception cref="Checkpoints.SafetensorsException">a weights file is not sound</exception>
    public static Task<RewardLearner> OfBaseAsync(string folder, string device, RewardTrainingSettings settings, IReadOnlyList<PreferencePair> pairs) =>
        OpenAsync(device, settings, pairs, () => RewardModelStore.Of(folder, On(device)));

    /// <summary>One update.</summary>
    /// <exception cref="RewardTrainingException">loss or gradient stopped being finite</exception>
    /// <exception cref="DeviceMemoryException">a forward does not fit; says its shape</exception>
    public async Task<RewardProgress> UpdateAsync()
    {
        var progress = await _thread.Run(_training.Update, Autograd.On).ConfigureAwait(false);
        Step = progress.Step;
        return progress;
    }

    /// <summary>How well the model as it stands agrees with pairs.</summary>
    public Task<PreferenceFit> MeasureAsync(IReadOnlyList<PreferencePair> pairs) => _thread.Run(() =>
    {
        var rewards = _model.Of([.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)], _settings.MicroBatchTokens);
        return PreferenceFit.Of(rewards[..pairs.Count], rewards[pairs.Count..], [.. pairs.Select(pair => pair.Margin)]);
    });

    /// <inheritdoc cref="RewardTraining.Save"/>
    public Task SaveProgressAsync(string path, string identity) => _thread.Run(() => _training.Save(path, identity));

    /// <inheritdoc cref="RewardTraining.Restore"/>
    public async Task RestoreAsync(string path, string identity) => Step = await _thread.Run(() =>
    {
        _training.Restore(path, identity);
        return _training.Step;
    }).ConfigureAwait(false);

    /// <summary>Writes the finished model into an existing folder; the file that says it is there comes last.</summary>
    /// <param name="info">its hash is filled in</param>
    /// <exception cref="IOException">the disk is full or the folder cannot be written; what is there is no reward model then</exception>
    public Task SaveAsync(string folder, RewardModelInfo info) => _thread.Run(() => RewardModelStore.Save(_model, folder, info));

    public async ValueTask DisposeAsync()
    {
        await _thread.Run(() =>
        {
            _training.Dispose();
            _model.Dispose();
        }).WaitAsync(StopDeadline).ConfigureAwait(false);
        _thread.Dispose();
    }

    private static Device On(string device) => TorchSharp.torch.device(device);

    private static async Task<RewardLearner> OpenAsync(string device, RewardTrainingSettings settings, IReadOnlyList<PreferencePair> pairs, Func<RewardModel> model)
    {
        var thread = new DeviceThread($"reward model on {device}", StopDeadline);
        var learner = new RewardLearner(thread, settings);
        try
        {
            await thread.Run(() =>
            {
                learner._model = model();
                learner._training = new(learner._model, settings, pairs);
            }).ConfigureAwait(false);
            return learner;
        }
        catch
        {
            thread.Dispose();
            throw;
        }
    }
}
