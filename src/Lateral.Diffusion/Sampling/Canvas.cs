using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// A rollout on its way: prompt and generated part of one row of the batch, with the record of what was revealed when.
/// </summary>
/// <remarks>P prompt length, L generated length, C candidates of the step, K revealed by the step.</remarks>
internal sealed class Canvas
{
    private readonly SampleTask _task;
    private readonly ITokenizer _tokenizer;
    private readonly int _prompt;
    private readonly int[] _revealStep;
    private readonly int[] _revealRank;
    private readonly List<int> _maskedDraws = [];
    private readonly ImmutableArray<int> _given;
    private readonly float[] _tokenLogProbs;
    private readonly List<float> _selectionLogProbs;
    private readonly ImmutableArray<PolicySpan>.Builder _policies = ImmutableArray.CreateBuilder<PolicySpan>(1);
    private double _entropy;
    private int _firstEnd = int.MaxValue;

    public Canvas(SampleTask task, int sibling, ISelectionPolicy selection, ITokenizer tokenizer, IUniforms uniforms)
        : this(task, sibling, HintedChunks.Of(task.Evaluation ? null : task.Spec.Hints, task.Prompt, sibling, task.Spec.GenLength, position => uniforms.Hint(new(task.Group, sibling), position)), selection, tokenizer)
    {
        foreach (var position in _given) Place(position, task.Prompt.Solution[position]);
    }

    private Canvas(SampleTask task, int sibling, ImmutableArray<int> given, ISelectionPolicy selection, ITokenizer tokenizer)
    {
        (_task, _tokenizer, Selection, _given) = (task, tokenizer, selection, given);
        Id = new(task.Group, sibling);
        _prompt = task.Prompt.Tokens.Length;
        Ids = new int[_prompt + Spec.GenLength];
        task.Prompt.Tokens.CopyTo(Ids);
        Ids.AsSpan(_prompt).Fill(tokenizer.MaskId);
        _revealStep = new int[Spec.GenLength];
        _revealStep.AsSpan().Fill(-1);
        _revealRank = new int[selection.Ordered ? Spec.GenLength : 0];
        _tokenLogProbs = new float[Spec.GenLength];
        _selectionLogProbs = new(Spec.Steps);
        var rule = RevealRules.ByName(selection.Name);
        (RecordsMasked, Unmasking) = (rule.RecordsMasked, rule.AsksUnmaskingPolicy);
    }

    /// <summary>As another sampler left it between two steps.</summary>
    public Canvas(SampleTask task, RolloutInFlight begun, ISelectionPolicy selection, ITokenizer tokenizer)
        : this(task, begun.Id.Sibling, begun.SoFar.Given, selection, tokenizer)
    {
        var record = begun.SoFar;
        foreach (var position in _given) Place(position, record.Tokens[position]);
        for (var position = 0; position < Spec.GenLength; position++)
        {
            if (record.RevealStep[position] < 0) continue;
            Place(position, record.Tokens[position]);
            _revealStep[position] = record.RevealStep[position];
            if (_revealRank.Length > 0) _revealRank[position] = record.RevealRank[position];
            _tokenLogProbs[position] = record.TokenLogProbs[position];
        }

        _maskedDraws.AddRange(record.MaskedDraws);
        _selectionLogProbs.AddRange(record.SelectionLogProbs);
        _policies.AddRange(record.Policies);
        _entropy = begun.RevealEntropySum;
    }

    public RolloutId Id { get; }

    public RolloutSpec Spec => _task.Spec;

    public bool Evaluation => _task.Evaluation;

    public ISelectionPolicy Selection { get; }

    /// <summary>[P + L] token ids; MASK where not revealed.</summary>
    public int[] Ids { get; }

    /// <summary>The step that comes next.</summary>
    public int Step => _selectionLogProbs.Count;

    public bool Finished => (Adaptive ? FirstMasked() < 0 : Step == Spec.Steps) || (Spec.StopAtEnd && RevealedUpToEnd());

    /// <summary>
    /// The least that the step reveals: its share of the block, so that no block has more steps than are planned even where a step may reveal more; or one position where every one is
    /// decided by itself.
    /// </summary>
    public int Quota => ByPosition ? 1 : DenoisingPlan.QuotaOf(Spec, Adaptive ? StepInBlock() : Step);

    /// <summary>Whether the step reveals all that is left of its block, whatever its rule thinks: the last planned one, where no share has seen to it.</summary>
    public bool TakesAll => ByPosition && StepInBlock() == Spec.StepsPerBlock - 1;

    /// <summary>Whether the model's unmasking policy says what is revealed.</summary>
    public bool Unmasking { get; }

    /// <summary>Whether the tokens of candidates that stay masked are part of the record.</summary>
    public bool RecordsMasked { get; }

    /// <summary>The active block's first generated position.</summary>
    public int BlockStart => ActiveBlock() * Spec.BlockLength;

    /// <summary>Steps that are over as a share of all; where a step reveals as much as it likes, positions that are revealed, so that it follows from the canvas.</summary>
    public double Progress => Adaptive ? (double)_revealStep.Count(step => step >= 0) / Spec.GenLength : (double)Step / Spec.Steps;

    /// <summary>Canvases of one key give one result: an unmasking policy also sees how far the rollout is.</summary>
    public int[] Key() => Unmasking ? [.. Ids, _prompt, Step, Spec.Steps, Spec.BlockLength] : Ids;

    /// <summary>Writes the [C] masked generated positions of the active block, ascending.</summary>
    public int Candidates(Span<int> positions)
    {
        var (first, count) = (BlockStart, 0);
        for (var position = first; position < first + Spec.BlockLength; position++)
        {
            if (IsMasked(position)) positions[count++] = position;
        }

        return count;
    }

    /// <summary>The index of a generated position in <see cref="Ids"/>.</summary>
    public int IndexOf(int position) => _prompt + position;

    /// <summary>Reveals one position at the current step.</summary>
    /// <param name="rank">in the order of the step's draw</param>
    public void Reveal(int position, int token, float logProb, float entropy, int rank = 0)
    {
        if (_revealRank.Length > 0) _revealRank[position] = rank;
        Place(position, token);
        _revealStep[position] = Step;
        _tokenLogProbs[position] = logProb;
        _entropy += entropy;
    }

    /// <summary>Notes what the next of the candidates that stay masked has drawn, by position.</summary>
    public void RecordMasked(int token) => _maskedDraws.Add(token);

    /// <summary>Closes the current step: its set's log-probability and the policy it was computed under.</summary>
    public void EndStep(float selectionLogProb, PolicyManifest policy)
    {
        if (_policies.Count == 0 || _policies[^1].Version != policy.Version || _policies[^1].Hash != policy.Hash)
            _policies.Add(new(Step, policy.Version, policy.Hash));
        _selectionLogProbs.Add(selectionLogProb);
    }

    public Trajectory ToTrajectory()
    {
        var tokens = Ids.AsSpan(_prompt).ToArray();
        for (var i = 0; i < tokens.Length; i++)
        {
            // Only an early finish leaves masks, and it needs a revealed end token.
            if (IsMasked(i)) tokens[i] = _tokenizer.EndId!.Value;
        }

        return new(
            Id, _task.Prompt.Tokens, [.. tokens], [.. _revealStep], [.. _tokenLogProbs], [.. _selectionLogProbs],
            (float)(_entropy / Math.Max(1, _revealStep.Count(step => step >= 0))),
            _policies.ToImmutable(), _tokenizer.DecodeToEnd(tokens))
        {
            RevealRank = [.. _revealRank],
            MaskedDraws = [.. _maskedDraws],
            Given = _given,
        };
    }

    /// <summary>The canvas between two steps.</summary>
    public RolloutInFlight ToInFlight() => new(
        new(Id, _task.Prompt.Tokens, [.. Ids.AsSpan(_prompt)], [.. _revealStep], [.. _tokenLogProbs], [.. _selectionLogProbs], 0, _policies.ToImmutable(), "") { RevealRank = [.. _revealRank], MaskedDraws = [.. _maskedDraws], Given = _given },
        _entropy);

    private bool ByPosition => Selection.Law == SelectionLaw.Bernoulli;

    /// <summary>A rollout has as many steps as it needs: its rule may reveal more than a step's share, or it began with less than all to reveal.</summary>
    private bool Adaptive => Selection.Adaptive || !_given.IsEmpty;

    private int ActiveBlock() => Adaptive ? FirstMasked() / Spec.BlockLength : DenoisingPlan.BlockOf(Spec, Step);

    private bool IsMasked(int position) => Ids[_prompt + position] == _tokenizer.MaskId;

    /// <summary>-1 where nothing is masked.</summary>
    private int FirstMasked() => Ids.AsSpan(_prompt).IndexOf(_tokenizer.MaskId);

    private void Place(int position, int token)
    {
        Ids[_prompt + position] = token;
        if (token == _tokenizer.EndId) _firstEnd = Math.Min(_firstEnd, position);
    }

    /// <summary>Steps since the active block's first.</summary>
    private int StepInBlock()
    {
        var begun = Step;
        foreach (var step in _revealStep.AsSpan(ActiveBlock() * Spec.BlockLength, Spec.BlockLength))
        {
            if (step >= 0) begun = Math.Min(begun, step);
        }

        return Step - begun;
    }

    private bool RevealedUpToEnd()
    {
        if (_firstEnd == int.MaxValue) return false;
        return !Ids.AsSpan(_prompt, _firstEnd).Contains(_tokenizer.MaskId);
    }
}
