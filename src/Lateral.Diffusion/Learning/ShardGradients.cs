using System.Runtime.InteropServices;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <param name="gradient">[P] valid until the call returns</param>
internal delegate void GradientReader(ReadOnlySpan<float> gradient, ShardReport report);

/// <summary>
/// The gradient shards of a batch, each from zeroed gradients: shards and random numbers are pure functions of the batch, and
/// micro-batches of the batch and what they may hold, so the sum is one too, whichever rank computes which shard.
/// </summary>
/// <remarks>
/// A shard that does not fit the device is computed again in micro-batches of half the size, and so is every one after it; that
/// is done once, because what does not fit then is likely something else.
/// </remarks>
internal sealed class ShardGradients
{
    private readonly GrpoSettings _settings;
    private readonly TransformerModel _model;
    private readonly ILikelihood _likelihood;
    private readonly GradientPass _pass;
    private readonly bool _hasRatio, _hasProximal;
    private readonly Dictionary<int, (int Step, float[] Values)> _proximal = [];
    private readonly List<Tensor> _frozen;
    private int _tokens;
    private bool _halved;

    /// <param name="reference">the policy that the run began with; null where nothing asks it</param>
    public ShardGradients(GrpoSettings settings, TransformerModel model, TransformerModel? reference = null)
    {
        (_settings, _model, _tokens) = (settings, model, settings.Algorithm.MicroBatchTokens);
        _likelihood = LikelihoodCatalogue.Create(settings.Algorithm.Likelihood, settings.Algorithm.Unit, model.Spec.EosToken, model.Spec.MaxLength, settings.Rollout, model.Spec.Causal);
        var correction = CorrectionRules.ByName(settings.Algorithm.Correction.Name);
        (_hasRatio, _hasProximal) = (correction.HasRatio, settings.Algorithm.Updates > 1 && correction.HasProximal);
        _pass = new(model, _likelihood, CorrectionCatalogue.Create(settings.Algorithm.Correction), settings.Temperature, settings.Algorithm.Kl, reference);
        var learning = model.Policy.ToLookup(pair => Learns(pair.Key, model.Spec, settings.Algorithm.Train));
        Parameters = [.. learning[true].OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)];
        _frozen = [.. learning[false].Select(pair => pair.Value)];
    }

    private static bool Learns(string parameter, TransformerSpec spec, TrainedPolicy trained) =>
        !spec.UnmaskingPolicy || trained == TrainedPolicy.Both || UnmaskingPolicyLayout.Owns(parameter) == (trained == TrainedPolicy.Unmasking);

    /// <summary>Those that learn, in ordinal order of their names, which is their order in the gradient vector.</summary>
    public List<Tensor> Parameters { get; }

    /// <summary>P, numbers in the gradient vector.</summary>
    public int Length => checked((int)Parameters.Sum(parameter => parameter.numel()));

    /// <param name="update">of the step; what is scored is reported for the first, whose weights are those that the step began with</param>
    /// <param name="tokens">what a micro-batch holds because it was decided; null = as memory allows</param>
    /// <param name="read">takes the gradient; what it throws counts as the device's</param>
    /// <exception cref="DeviceMemoryException">half a micro-batch does not fit either; names its shape and the setting</exception>
    public void Compute(GroupBatch batch, int update, int shard, int? tokens, GradientReader read)
    {
        var limit = tokens ?? _tokens;
        try
        {
            Attempt(batch, update, shard, limit, read);
        }
        catch (DeviceMemoryException) when (!_halved)
        {
            _halved = true;
            _tokens = Math.Max(1, limit / 2);
            Attempt(batch, update, shard, _tokens, read);
        }
        finally
        {
            Gradients.Clear(Parameters);
        }
    }

    private void Attempt(GroupBatch batch, int update, int shard, int tokens, GradientReader read)
    {
        using var scope = NewDisposeScope();
        var log = update == 0 ? new UnitLog() : null;
        var table = TableOf(batch, update, shard);
        var microBatches = MicroBatch.Cut(table.Views, tokens, _model.Spec.MaskToken).ToList();
        // Only now: the supervised warm-up trains them.
        foreach (var parameter in _frozen) parameter.requires_grad = false;
        try
        {
            Gradients.Clear(Parameters);
            var values = _hasProximal && update == 0 ? new float[table.Units.Count] : null;
            _pass.Accumulate(microBatches, table.Units, batch.Denominator(_likelihood.Unit), log, values);
            if (values is not null) _proximal[shard] = (batch.Source.Step, values);
            using var quiet = no_grad();
            var flat = cat([.. Parameters.Select(parameter => (parameter.grad ?? zeros_like(parameter)).flatten())], 0).cpu();
            read(MemoryMarshal.Cast<byte, float>(flat.bytes), new ShardReport(tokens, log?.ToImmutable() ?? []));
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            throw DeviceMemoryException.InStep(batch.Source.Step, _settings.Device, microBatches.MaxBy(one => one.Canvases * one.Length), tokens, failure);
        }
    }

    private UnitTable TableOf(GroupBatch batch, int update, int shard)
    {
        var (table, key) = (new UnitTable(), new PlanKey(new CounterRandom(_settings.Seed), _settings.FirstPrompt, batch.Source.Step));
        foreach (var i in batch.Scored)
        {
            var rollout = batch.Rollouts[i];
            if (rollout.Shard == shard) table.Add(i, rollout.Trajectory, rollout.Advantage, PlanOf(rollout.Trajectory, key), batch.Source.Step - 1, rollout.Group);
        }

        if (!_hasProximal || update == 0) return table;
        // Only whoever has computed the shard under the policy that the step began with knows that policy's values.
        if (!_proximal.TryGetValue(shard, out var proximal) || proximal.Step != batch.Source.Step)
            throw new InvalidOperationException($"update {update} of step {batch.Source.Step} needs what the policy of update 0 thinks of shard {shard}, which was computed elsewhere");
        table.SetProximal(proximal.Values);
        return table;
    }

    private LikelihoodPlan PlanOf(Trajectory trajectory, PlanKey key)
    {
        var plan = _likelihood.Plan(trajectory, key);
        // Its token log-probs are another quantity: as "old" they would corrupt the ratio without a sign.
        if (_hasRatio && plan.Units.Any(unit => float.IsNaN(unit.Behaviour)))
            throw new InvalidOperationException($"{trajectory.Id} carries no log-probs of likelihood = {_likelihood.Name}, which the ratio of correction = {_settings.Algorithm.Correction.Name} needs: its sampler ran with another algorithm; a run keeps the one that it began with");
        return plan;
    }
}
