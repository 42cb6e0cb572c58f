using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>Rows of files as a task. They are read when the first item is asked for: not every node of a run has need of them.</summary>
public sealed class DataTask(DataSettings settings, ulong seed, RowLengths lengths) : ITask
{
    private readonly Lazy<Ordered> _rows = new(() => new Ordered(DataSet.Read(settings, seed, lengths), seed, settings.Shuffle));

    /// <summary>Any text.</summary>
    public string? Alphabet => null;

    public int GenLength => 1;

    /// <exception cref="DataException">the files cannot be used</exception>
    public DataSetCounts Counts => _rows.Value.Set.Counts;

    public int HeldOutCount => _rows.Value.Set.Counts.HeldOut;

    public TaskItem Train(long ordinal) => _rows.Value.Set.Train(_rows.Value.Train.RowOf(ordinal));

    /// <exception cref="DataException">no row has an answer that fits</exception>
    public TaskItem Corpus(long index) => _rows.Value.Corpus is { } order
        ? _rows.Value.Set.Answered(order.RowOf(index))
        : throw new DataException(settings.Train, 0, 0, $"has no answer of at most {lengths.AnswerRoom} tokens", $"a warm-up learns from answers, and there are {Counts}", "write warmup.steps = 0 with a model that is trained already, raise rollout.gen-length, or name the answers in data.columns.answer");

    public TaskItem HeldOut(int index) => _rows.Value.Set.HeldOut(index);

    public string? FinalAnswer(string completion) => _rows.Value.Set.FinalAnswer(completion);

    private sealed class Ordered(DataSet set, ulong seed, bool shuffled)
    {
        public DataSet Set => set;

        public PassOrder Train { get; } = new(new CounterRandom(seed), 0, set.Counts.Train, shuffled);

        public PassOrder? Corpus { get; } = set.Counts.Answers > 0 ? new(new CounterRandom(seed), 1, set.Counts.Answers, shuffled) : null;
    }
}
