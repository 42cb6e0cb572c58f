using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.RewardModels;

/// <summary>A reward model in training: model, optimizer, and which pairs come next. With one torch thread on a CPU the weights are the same to the bit, however often it was interrupted.</summary>
/// <remarks>Every call is made on the device thread, with autograd on. Both texts of a pair are in one forward: the loss is of their difference.</remarks>
internal sealed class RewardTraining : IDisposable
{
    private const string Weights = "weights.", Identity = "identity";

    private readonly RewardModel _model;
    private readonly RewardTrainingSettings _settings;
    private readonly IReadOnlyList<PreferencePair> _pairs;
    private readonly PairOrder _order;
    private readonly AdamW _optimizer;

    /// <param name="model">stays its owner's</param>
    public RewardTraining(RewardModel model, RewardTrainingSettings settings, IReadOnlyList<PreferencePair> pairs)
    {
        if (pairs.Count == 0) throw new ArgumentException("there are no pairs to learn from", nameof(pairs));
        (_model, _settings, _pairs) = (model, settings, pairs);
        model.ActivationCheckpointing = settings.ActivationCheckpointing;
        _order = new(pairs.Count, settings.Batch, settings.Seed);
        _optimizer = new(model.Parameters, settings.Adam);
    }

    /// <summary>Updates done.</summary>
    public int Step => (int)_optimizer.Updates;

    /// <exception cref="RewardTrainingException">loss or gradient stopped being finite</exception>
    /// <exception cref="DeviceMemoryException">a forward does not fit; says its shape</exception>
    public RewardProgress Update()
    {
        using var scope = NewDisposeScope();
        var step = Step;
        var (loss, accuracy) = Accumulate([.. _order.At(step).Select(index => _pairs[index])]);
        var parameters = _model.Parameters.Values.ToList();
        var norm = Gradients.Clip(parameters, _settings.ClipNorm);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw new RewardTrainingException($"step {step + 1}: loss {loss}, gradient norm {norm} - write a smaller learning rate than {_settings.LearningRate.Peak}");
        var rate = _settings.LearningRate.At(step);
        _optimizer.Step(rate);
        Gradients.Clear(parameters);
        return new(step + 1, _settings.Steps, loss, accuracy, norm, rate);
    }

    /// <summary>Adds the gradient of the mean loss of the pairs.</summary>
    /// <returns>the mean loss, and how many rewards are in order</returns>
    internal (double Loss, double Accuracy) Accumulate(IReadOnlyList<PreferencePair> pairs)
    {
        var (loss, accuracy) = (0.0, 0.0);
        foreach (var cut in RewardBatch.Cut([.. pairs.Select(pair => pair.Tokens)], _settings.MicroBatchTokens))
        {
            using var scope = NewDisposeScope();
            PreferencePair[] held = [.. cut.Select(index => pairs[index])];
            var batch = RewardBatch.Pack([.. held.Select(pair => pair.Chosen), .. held.Select(pair => pair.Rejected)], _model.Fill);
            var (sum, right) = RewardMemory.Guarded(batch, _model, () => Backward(batch, held, pairs.Count));
            (loss, accuracy) = (loss + (sum / pairs.Count), accuracy + (right * held.Length / pairs.Count));
        }

        return (loss, accuracy);
    }

    /// <summary>Writes where it stands into one file, which is there whole or not at all.</summary>
    /// <param name="identity">what else it follows from: data, settings, base</param>
    public void Save(string path, string identity)
    {
        using var scope = NewDisposeScope();
        var tensors = _model.Parameters.Select(pair => KeyValuePair.Create(Weights + pair.Key, pair.Value)).Concat(_optimizer.State()).ToDictionary(StringComparer.Ordinal);
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { [Identity] = identity });
    }

    /// <summary>Goes on where <see cref="Save"/> was called, to the bit.</summary>
    /// <exception cref="RewardTrainingException">it was another training</exception>
    /// <exception cref="SafetensorsException">the file is not sound</exception>
    public void Restore(string path, string identity)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var file = SafetensorsFile.Open(path);
        if (file.Metadata.GetValueOrDefault(Identity) != identity)
            throw new RewardTrainingException($"'{path}' is of a training with other data, settings or another base - give the same ones to go on with it, or another folder for a new one");
        foreach (var (name, parameter) in _model.Parameters) parameter.copy_(file.Read(Weights + name));
        _optimizer.Restore(file);
    }

    public void Dispose() => _optimizer.Dispose();

    private (double Loss, double Accuracy) Backward(RewardBatch batch, PreferencePair[] held, int pairs)
    {
        var reward_B = _model.Of(batch);
        Tensor chosen_P = reward_B.narrow(0, 0, held.Length), rejected_P = reward_B.narrow(0, held.Length, held.Length);
        var margin_P = HostTensor.Of(Array.ConvertAll(held, pair => (float)pair.Margin)).to(_model.Device);
        var loss = PreferenceLoss.Of(chosen_P, rejected_P, margin_P, _settings.Centre).sum();
        _model.Backward(loss.DividedBy(pairs));
        var rewards = reward_B.detach().cpu().data<float>().ToArray();
        return (loss.item<float>(), PreferenceFit.Accurate(rewards[..held.Length], rewards[held.Length..]));
    }
}
