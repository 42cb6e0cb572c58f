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
    private readonly float[] _tokenLogProbs;
    private readonly List<float> _selectionLogProbs;
    private readonly ImmutableArray<PolicySpan>.Builder _policies = ImmutableArray.CreateBuilder<PolicySpan>(1);
    private double _entropy;
    private int _firstEnd = int.MaxValue;

    public Canvas(SampleTask task, int sibling, ISelectionPolicy selection, ITokenizer tokenizer)
    {
        (_task, _tokenizer, Selection) = (task, tokenizer, selection);
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
    }

    /// <summary>As another sampler left it between two steps.</summary>
    public Canvas(SampleTask task, RolloutInFlight begun, ISelectionPolicy selection, ITokenizer tokenizer)
        : this(task, begun.Id.Sibling, selection, tokenizer)
    {
        var record = begun.SoFar;
        for (var position = 0; position < Spec.GenLength; position++)
        {
            if (record.RevealStep[position] < 0) continue;
            Ids[_prompt + position] = record.Tokens[position];
            _revealStep[position] = record.RevealStep[position];
            if (_revealRank.Length > 0) _revealRank[position] = record.RevealRank[position];
            _tokenLogProbs[position] = record.TokenLogProbs[position];
            if (record.Tokens[position] == tokenizer.EndId) _firstEnd = Math.Min(_firstEnd, position);
        }

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

    public bool Finished => (Selection.Adaptive ? !_revealStep.Contains(-1) : Step == Spec.Steps) || (Spec.StopAtEnd && RevealedUpToEnd());

    /// <summary>The step's share of its block. Where a step may reveal more, a block still has no more steps than are planned.</summary>
    public int Quota => DenoisingPlan.QuotaOf(Spec, Selection.Adaptive ? StepInBlock() : Step);

    /// <summary>Writes the [C] masked generated positions of the active block, ascending.</summary>
    public int Candidates(Span<int> positions)
    {
        var (first, count) = (ActiveBlock() * Spec.BlockLength, 0);
        for (var position = first; position < first + Spec.BlockLength; position++)
        {
            if (_revealStep[position] < 0) positions[count++] = position;
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
        Ids[_prompt + position] = token;
        _revealStep[position] = Step;
        _tokenLogProbs[position] = logProb;
        _entropy += entropy;
        if (token == _tokenizer.EndId) _firstEnd = Math.Min(_firstEnd, position);
    }

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
            if (_revealStep[i] < 0) tokens[i] = _tokenizer.EndId!.Value;
        }

        var end = _tokenizer.EndId is { } id ? Array.IndexOf(tokens, id) : -1;
        return new(
            Id, _task.Prompt.Tokens, [.. tokens], [.. _revealStep], [.. _tokenLogProbs], [.. _selectionLogProbs],
            (float)(_entropy / Math.Max(1, _revealStep.Count(step => step >= 0))),
            _policies.ToImmutable(), _tokenizer.Decode(tokens.AsSpan(0, end < 0 ? tokens.Length : end)))
        {
            RevealRank = [.. _revealRank],
        };
    }

    /// <summary>The canvas between two steps.</summary>
    public RolloutInFlight ToInFlight() => new(
        new(Id, _task.Prompt.Tokens, [.. Ids.AsSpan(_prompt)], [.. _revealStep], [.. _tokenLogProbs], [.. _selectionLogProbs], 0, _policies.ToImmutable(), "") { RevealRank = [.. _revealRank] },
        _entropy);

    private int ActiveBlock() => Selection.Adaptive ? Array.IndexOf(_revealStep, -1) / Spec.BlockLength : DenoisingPlan.BlockOf(Spec, Step);

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
        return !_revealStep.AsSpan(0, _firstEnd).Contains(-1);
    }
}
