using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// A transformer of any family: embeddings, blocks, a last norm and an untied head. Plain parameters by their released names and pure functions of them; results belong to the current dispose scope.
/// </summary>
/// <remarks>Shapes: B batch, L length, D width, V vocabulary, N chosen rows of the flattened [B*L].</remarks>
public sealed class TransformerModel : IDisposable
{
    private readonly Dictionary<string, Tensor> parameters;
    private readonly BlockWeights? unmasking;
    private BlockWeights[] blocks;
    private BlockWeights? around;
    private ActivationCheckpoints? checkpoints;
    private readonly int[] order;
    private readonly TransformerBlock block;
    private readonly RotaryTable rotary;
    private readonly Dictionary<long, Tensor> blockBiases = [];
    private readonly Tensor mask;
    private readonly Tensor embedding, finalNorm;

    internal TransformerModel(TransformerSpec spec, Dictionary<string, Tensor> parameters, Device device)
    {
        (Spec, this.parameters, Device) = (spec, parameters, device);
        var family = ModelFamilies.Of(spec);
        (embedding, finalNorm, HeadName) = (parameters[family.Embedding], parameters[family.FinalNorm], family.Head);
        (blocks, around) = (Blocks(), Around());
        unmasking = spec.UnmaskingPolicy ? BlockOf(null, UnmaskingPolicyLayout.Name) : null;
        Policy = Learned();
        order = [.. LoopSpec.Order(spec.Loop, spec.Layers)];
        block = TransformerBlock.Of(spec);
        rotary = new RotaryTable(spec, device);
        mask = HostTensor.Of([(long)spec.MaskToken]).to(device).DetachFromDisposeScope();
        WaveFrequencies = Sinusoids.Frequencies(spec.UnmaskingPolicy ? UnmaskingPolicy.StepsPerUnit : 1, device).DetachFromDisposeScope();
    }

    public TransformerSpec Spec { get; }

    public Device Device { get; }

    /// <summary>Every parameter by its released name. Updated in place, never replaced.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => parameters;

    /// <summary>Added to some of the linear maps; null = nothing is. The model owns it.</summary>
    public LoraAdapter? Adapter
    {
        get;
        set
        {
            field = value;
            (blocks, around) = (Blocks(), Around());
            Policy = Learned();
        }
    }

    /// <summary>
    /// What makes a policy of the model, by released names: what is trained, published and kept in checkpoints. All parameters; with an adapter the adapter's and those of an unmasking policy.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Policy { get; private set; }

    /// <summary>The head's name among the parameters.</summary>
    internal string HeadName { get; }

    /// <summary>The element type of the residual stream.</summary>
    internal ScalarType Type => embedding.dtype;

    /// <summary>The last hidden states after the final norm, [B, L, D].</summary>
    /// <param name="ids_BL">Token ids, int64, on the model's device.</param>
    /// <param name="attend_BL">True (or 1) where a token is real and may be attended to; null when every token is: nothing is then masked.</param>
    public Tensor Hidden(Tensor ids_BL, Tensor? attend_BL = null) => Run(ids_BL, Full(ids_BL, attend_BL), null).view(ids_BL.shape[0], ids_BL.shape[1], Spec.Width);

    /// <summary>The same of canvases whose noise level is told, [B] of sigma.</summary>
    internal Tensor Hidden(Tensor ids_BL, Tensor? attend_BL, Tensor sigma_B)
    {
        var told_RC = block.Condition(around, WaveFrequencies, sigma_B)?.repeat_interleave(ids_BL.shape[1], 0) ?? throw new ModelException($"a {Spec.Family} model is told nothing about the noise");
        return Run(ids_BL, Full(ids_BL, attend_BL) with { Condition = told_RC }, null).view(ids_BL.shape[0], ids_BL.shape[1], Spec.Width);
    }

    /// <summary>
    /// The last hidden states of chosen rows only, [N, D]: the last block's MLP and output projection run for no other row.
    /// </summary>
    /// <param name="rows_N">Indices b * L + i into the flattened batch, int64.</param>
    /// <inheritdoc cref="Hidden"/>
    /// <returns>of a model that answers one position before, the states before the chosen ones; a canvas's first position has none, and gets its own</returns>
    public Tensor HiddenRows(Tensor ids_BL, Tensor rows_N, Tensor? attend_BL = null) => Run(ids_BL, Full(ids_BL, attend_BL), Spec.AnswersBefore ? Before(ids_BL, rows_N) : rows_N);

    /// <summary>The same where positions are not counted through and do not all see one another.</summary>
    public Tensor HiddenRows(Tensor ids_BL, Tensor rows_N, BlockCausalLayout layout)
    {
        if (Spec.AnswersBefore) throw new ModelException($"a {Spec.Family} model that answers one position before its question cannot be asked about blocks beside their clean copy");
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var (cos_L1K, sin_L1K) = rotary.For(layout.Longest);
        return Run(ids_BL, new(b, l, Placed(cos_L1K, layout.Position_BL), Placed(sin_L1K, layout.Position_BL), null) { Bias_BLL = Bias(layout.Visible_BLL) }, rows_N);
    }

    /// <summary>
    /// The last hidden states of chosen rows of a window, [N, D]: the positions from <paramref name="start"/> on are computed, and see what is cached before and behind them.
    /// </summary>
    /// <param name="ids_BW">ids of the window's positions, int64; none of them is padding</param>
    /// <param name="rows_N">indices b * W + i into the flattened window; null = all</param>
    /// <param name="store">keep the window's keys and values in the place of those cached there</param>
    /// <param name="visible_BWT">bool, batch 1 or B: which of the T positions, cached ones and the window's, a window's position sees; null = as the family does</param>
    /// <returns>of a model that answers one position before, states before the chosen ones; the window's first position gets its own</returns>
    public Tensor HiddenWindow(Tensor ids_BW, KeyValueCache cache, long start, bool store, Tensor? rows_N = null, Tensor? visible_BWT = null)
    {
        if (Spec.Causal) throw new ModelException("an autoregressive model has no windows: what it caches is its past alone");
        var (b, w) = (ids_BW.shape[0], ids_BW.shape[1]);
        var seen = Math.Max(cache.Length, start + w);
        var (cos_T1K, sin_T1K) = rotary.For(seen);
        var attention = new Attention(b, w, cos_T1K.narrow(0, start, w), sin_T1K.narrow(0, start, w), null)
        {
            Window = new(cache, 0, start, store, cos_T1K, sin_T1K),
            Bias_BLL = visible_BWT is not null ? Bias(visible_BWT) : Spec.AttentionBlock is { } size && size < seen ? BlockBias(seen, size).narrow(1, start, w) : null,
        };
        return Run(ids_BW, attention, rows_N is not null && Spec.AnswersBefore ? Before(ids_BW, rows_N) : rows_N);
    }

    /// <summary>The same of positions that do not stand side by side; they take their cached places, and see all cached ones.</summary>
    /// <param name="ids_BW">their ids, int64; none is padding</param>
    /// <param name="at_BW">their places, int64, each once and cached before</param>
    public Tensor HiddenAt(Tensor ids_BW, Tensor at_BW, KeyValueCache cache, Tensor? rows_N = null)
    {
        if (Spec.AnswersBefore) throw new ModelException($"a {Spec.Family} model answers one position before its question, which need not be among those that are computed");
        var (b, w, seen) = (ids_BW.shape[0], ids_BW.shape[1], cache.Length);
        var (cos_T1K, sin_T1K) = rotary.For(seen);
        var attention = new Attention(b, w, Placed(cos_T1K, at_BW), Placed(sin_T1K, at_BW), null)
        {
            Window = new(cache, 0, 0, true, cos_T1K, sin_T1K) { At_BW = at_BW },
            Bias_BLL = Spec.AttentionBlock is { } size && size < seen ? BlockBias(seen, size).squeeze(0).index_select(0, at_BW.view(-1)).view(b, w, seen) : null,
        };
        return Run(ids_BW, attention, rows_N);
    }

    /// <summary>
    /// Whether a forward keeps what enters each block only, and <see cref="Backward"/> computes the blocks again: much less memory for about 1.4 times the time.
    /// </summary>
    public bool ActivationCheckpointing
    {
        get => checkpoints is not null;
        set
        {
            checkpoints?.Dispose();
            checkpoints = value ? new() : null;
        }
    }

    /// <summary>From a loss of the last forward back to all parameters: their gradients are added to.</summary>
    public void Backward(Tensor loss)
    {
        loss.backward();
        checkpoints?.Backward();
    }

    /// <summary>Scores of every token, [N, V], for hidden rows [N, D]; float32, because softmax and log-probabilities are.</summary>
    public Tensor Logits(Tensor rows_ND) => LowRank.Linear(rows_ND, parameters[HeadName], around?[ModulatedLayout.HeadBias], Adapter?.Of(HeadName)).to_type(ScalarType.Float32);

    /// <summary>As <see cref="Logits"/> with minus infinity for the mask token: a revealed token is never the mask.</summary>
    public Tensor TokenLogits(Tensor rows_ND)
    {
        var logits_NV = Logits(rows_ND);
        logits_NV.narrow(1, Spec.MaskToken, 1).FillInPlace(double.NegativeInfinity);
        return logits_NV;
    }

    /// <summary>Puts the adapter into the weights, which then are those of the adapted model, and takes it off.</summary>
    public void Merge()
    {
        if (Adapter is not { } adapter) return;
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var (name, value) in parameters)
        {
            if (adapter.Of(name) is { } addition) value.copy_(addition.Merged(value));
        }

        Adapter = null;
        adapter.Dispose();
    }

    /// <summary>Another policy on the same weights: what is trained it has of its own, the rest is this model's memory.</summary>
    internal TransformerModel Sharing(LoraAdapter adapter)
    {
        using var quiet = no_grad();
        return new(Spec, parameters.ToDictionary(pair => pair.Key, pair => (Policy.ContainsKey(pair.Key) ? pair.Value.detach().clone() : pair.Value.alias()).DetachFromDisposeScope(), StringComparer.Ordinal), Device) { Adapter = adapter };
    }

    /// <summary>Of the sinusoids that tell progress or noise, kept here so that no forward has to upload them.</summary>
    internal Tensor WaveFrequencies { get; }

    /// <summary>[B, L] bool: the token is MASK.</summary>
    internal Tensor Masked(Tensor ids_BL) => ids_BL.eq(mask);

    /// <summary>Hidden states as the reference numbers them: embeddings, each block's output, the last after the final norm.</summary>
    internal IEnumerable<Tensor> HiddenStates(Tensor ids_BL)
    {
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var attention = Told(Full(ids_BL, null));
        var x_RD = Embed(ids_BL);
        yield return x_RD.view(b, l, -1);
        foreach (var (step, layer) in order.Index())
        {
            x_RD = block.Run(blocks[layer], ExpertsOf(layer), x_RD, attention, null);
            yield return (step == order.Length - 1 ? block.Last(x_RD, finalNorm, around, attention) : x_RD).view(b, l, -1);
        }
    }

    public void Dispose()
    {
        checkpoints?.Dispose();
        rotary.Dispose();
        mask.Dispose();
        WaveFrequencies.Dispose();
        foreach (var bias in blockBiases.Values) bias.Dispose();
        Adapter?.Dispose();
        foreach (var parameter in parameters.Values) parameter.Dispose();
    }

    /// <summary>Every position sees every real one; in an autoregressive model those before it and itself, in a block-causal one its block and those before it.</summary>
    internal Attention Full(Tensor ids_BL, Tensor? attend_BL)
    {
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var (cos_L1K, sin_L1K) = rotary.For(l);
        // Canvases are padded behind their last token, where no real one of an autoregressive model looks.
        var keyBias_BL = attend_BL is null || Spec.Causal ? null : KeyBias(attend_BL);
        if (Spec.AttentionBlock is not { } size || size >= l) return new(b, l, cos_L1K, sin_L1K, keyBias_BL) { Causal = Spec.Causal };
        var bias_1LL = BlockBias(l, size);
        return new(b, l, cos_L1K, sin_L1K, null) { Bias_BLL = keyBias_BL is null ? bias_1LL : bias_1LL.Plus(keyBias_BL.unsqueeze(1)) };
    }

    /// <summary>The unmasking policy's block: of this model's kind, dense, on parameters of its own.</summary>
    internal Tensor UnmaskingBlock(Tensor x_RD, Attention attention) => block.Run(unmasking ?? throw new InvalidOperationException("this model has no unmasking policy"), null, x_RD, attention, null);

    /// <summary>[B, L, 1, K] of a table's rows at positions.</summary>
    private static Tensor Placed(Tensor table_L1K, Tensor at_BL) => table_L1K.index_select(0, at_BL.view(-1)).view(at_BL.shape[0], at_BL.shape[1], 1, -1);

    /// <summary>Rows of the positions one before; a canvas's first keeps its own.</summary>
    private static Tensor Before(Tensor ids_BL, Tensor rows_N)
    {
        var one_BL = ones_like(ids_BL);
        var step_R = one_BL.cumsum(1).Minus(one_BL).sign().view(-1);
        return rows_N.Minus(step_R.index_select(0, rows_N));
    }

    private Tensor Run(Tensor ids_BL, Attention attention, Tensor? rows_N)
    {
        using var scope = NewDisposeScope();
        var x_RD = Embed(ids_BL);
        if (checkpoints is not null && is_grad_enabled() && attention.Window is null) return Checkpointed(checkpoints, x_RD, attention, rows_N).MoveToOuterDisposeScope();
        attention = Told(attention);
        foreach (var (step, layer) in order.Index())
        {
            // A scope for each block: what backward does not keep is free again before the next block needs memory.
            using var within = NewDisposeScope();
            using var before = x_RD;
            var seen = attention.Window is { } window ? attention with { Window = window with { Pass = step } } : attention;
            x_RD = block.Run(blocks[layer], ExpertsOf(layer), before, seen, step == order.Length - 1 ? rows_N : null).MoveToOuterDisposeScope();
        }

        return block.Last(x_RD, finalNorm, around, attention).MoveToOuterDisposeScope();
    }

    private Tensor Checkpointed(ActivationCheckpoints checkpoints, Tensor x_RD, Attention attention, Tensor? rows_N)
    {
        checkpoints.Begin();
        var seen = attention.Kept(checkpoints.Keep);
        var rows = rows_N is null ? null : checkpoints.Keep(rows_N);
        foreach (var (step, layer) in order.Index())
        {
            using var within = NewDisposeScope();
            using var before = x_RD;
            var last = step == order.Length - 1;
            x_RD = checkpoints.Run(before, x =>
            {
                // Told for each block anew: a way back goes through what it is told only once.
                var told = Told(seen);
                var y_RD = block.Run(blocks[layer], ExpertsOf(layer), x, told, last ? rows : null);
                return last ? block.Last(y_RD, finalNorm, around, told) : y_RD;
            }).MoveToOuterDisposeScope();
        }

        return checkpoints.End(x_RD);
    }

    private IReadOnlyDictionary<string, Tensor> Learned() => Adapter is not { } adapter
        ? parameters
        : adapter.Parameters.Concat(parameters.Where(pair => UnmaskingPolicyLayout.Owns(pair.Key))).ToDictionary(StringComparer.Ordinal);

    private Attention Told(Attention attention) => attention.Condition is null ? attention with { Condition = block.Condition(around, WaveFrequencies, null) } : attention;

    /// <summary>Put together once and not at every forward: names are long and many.</summary>
    private BlockWeights[] Blocks()
    {
        var family = ModelFamilies.Of(Spec);
        return [.. Enumerable.Range(0, Spec.Layers).Select(layer => BlockOf(ExpertsOf(layer), part => family.Block(layer, part)))];
    }

    private BlockWeights? Around() => Spec.ConditionWidth is { } condition ? Weights(ModulatedLayout.Around(Spec, condition, part => part), ModelFamilies.Of(Spec).Around) : null;

    private BlockWeights BlockOf(ExpertSpec? experts, Func<string, string> name) => Weights(ModelLayout.BlockOf(Spec, experts, part => part), name);

    private BlockWeights Weights(IEnumerable<ParameterLayout> parts, Func<string, string> name) =>
        new(parts.ToDictionary(part => part.Name, part => (parameters[name(part.Name)], Adapter?.Of(name(part.Name))), StringComparer.Ordinal));

    private ExpertSpec? ExpertsOf(int layer) => Spec.Experts is { } experts && experts.In(layer) ? experts : null;

    private Tensor Embed(Tensor ids_BL)
    {
        var ids_R = ids_BL.reshape(-1);
        var x_RD = embedding.index_select(0, ids_R);
        return Spec is { PadUntrained: true, PadToken: { } pad } && x_RD.requires_grad ? where(ids_R.eq(zeros_like(ids_R).Plus((long)pad)).unsqueeze(1), x_RD.detach(), x_RD) : x_RD;
    }

    // Added to the scores of keys; finite, so that a row without any real key gives numbers and not NaN.
    private Tensor KeyBias(Tensor attend_BL) => attend_BL.to_type(ScalarType.Float32).Minus(1).neg().Times(Lowest).to_type(Type);

    private Tensor Bias(Tensor visible)
    {
        var hidden = visible.logical_not();
        return zeros_like(hidden, Type).Filled(hidden, Lowest);
    }

    /// <summary>[1, L, L], kept per length.</summary>
    private Tensor BlockBias(long length, int size)
    {
        if (blockBiases.TryGetValue(length, out var bias_1LL)) return bias_1LL;
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var number_L = HostTensor.Of([.. Enumerable.Range(0, (int)length).Select(i => (long)(i / size))]).to(Device);
        bias_1LL = Bias(number_L.unsqueeze(1).ge(number_L.unsqueeze(0))).unsqueeze(0).DetachFromDisposeScope();
        blockBiases.Add(length, bias_1LL);
        return bias_1LL;
    }

    private double Lowest => Type switch { ScalarType.Float16 => -65504, ScalarType.BFloat16 => -3.38953139e38, _ => float.MinValue };
}
