using System.Security.Cryptography;
using System.Text;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Data;

/// <summary>How long a row is for the model.</summary>
/// <param name="Prompt">tokens of what a model is told; throws <see cref="FormatException"/> where its vocabulary lacks a sign</param>
/// <param name="Answer">tokens of an answer; throws likewise</param>
/// <param name="AnswerRoom">the tokens that an answer may have, its end not counted</param>
public sealed record RowLengths(Func<TaskItem, int> Prompt, Func<string, int> Answer, int AnswerRoom);

/// <summary>
/// The rows of a run's files, read once from begin to end, checked, measured and split; any of them can then be asked for. A prompt
/// that is evaluated on is never trained on, however often the training file has it.
/// </summary>
public sealed class DataSet : IDisposable
{
    /// <summary>The sibling field of the split's draws: generated tasks use 0, 1 and 2.</summary>
    private const int SplitPurpose = 3;

    private readonly ItemStore _items = new();
    private readonly List<int> _train = [], _heldOut = [], _answered = [];
    private readonly HashSet<UInt128> _heldOutPrompts = [];
    private readonly DataSettings _settings;
    private readonly RowFormat _format;
    private readonly CounterRandom _random;
    private readonly RowLengths _lengths;
    private DataException? _firstBad;
    private int _rows, _bad, _short, _long, _heldBack;

    private DataSet(DataSettings settings, ulong seed, RowLengths lengths) =>
        (_settings, _format, _random, _lengths) = (settings, RowFormats.Of(settings.Format), new CounterRandom(seed), lengths);

    public DataSetCounts Counts => new(_rows, _bad, _short, _long, _heldBack, _heldOut.Count, _train.Count, _answered.Count);

    /// <summary>What two completions are told apart by when they vote; null = it has no answer.</summary>
    public string? FinalAnswer(string completion) => _format.FinalAnswer is { } extract ? extract(completion) : completion;

    /// <exception cref="DataException">a file cannot be read, a row is bad and may not be skipped, or too many are; or nothing is left</exception>
    /// <exception cref="IOException">the system's folder for temporary files cannot be written</exception>
    public static DataSet Read(DataSettings settings, ulong seed, RowLengths lengths)
    {
        var set = new DataSet(settings, seed, lengths);
        try
        {
            // First what is evaluated on, so that nothing of it is trained on.
            if (settings.Eval is { } eval) set.Add(eval, heldOut: true);
            set.Add(settings.Train, heldOut: false);
            set._items.Seal();
            set.RequireUsable();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>The rows of a file in its order, all of them, told as the settings say; the first bad one ends it.</summary>
    /// <exception cref="DataException">the file cannot be read, or a row is bad</exception>
    public static IEnumerable<TaskItem> Rows(string path, DataSettings settings)
    {
        var format = RowFormats.Of(settings.Format);
        return RowFile.Rows(path).Select(line => Read(line, format, settings));
    }

    public TaskItem Train(int index) => _items.Read(_train[index]);

    public TaskItem HeldOut(int index) => _items.Read(_heldOut[index]);

    /// <summary>With an answer to learn from.</summary>
    public TaskItem Answered(int index) => _items.Read(_answered[index]);

    public void Dispose() => _items.Dispose();

    private static TaskItem Read(DataLine line, RowFormat format, DataSettings settings)
    {
        var item = format.Read(line, settings.Columns);
        return item with { Told = Instructions.Tell(format, settings.Template, item) };
    }

    private void Add(string path, bool heldOut)
    {
        foreach (var line in RowFile.Rows(path))
        {
            _rows++;
            try
            {
                Add(line, heldOut);
            }
            catch (DataException mistake)
            {
                _firstBad ??= mistake;
                _bad++;
                if (_settings.MaxBadRows is null) throw;
            }
        }
    }

    private void Add(DataLine line, bool heldOut)
    {
        var item = Read(line, _format, _settings);
        if (string.IsNullOrWhiteSpace(item.Prompt)) throw line.Wrong(1, "the prompt is empty", "there is nothing to answer", "correct or remove the row");
        var tokens = Measured(line, "the prompt", () => _lengths.Prompt(item));
        if (tokens < _settings.MinPromptTokens) _short++;
        else if (tokens > _settings.MaxPromptTokens) _long++;
        else Place(line, item, heldOut);
    }

    private void Place(DataLine line, TaskItem item, bool heldOut)
    {
        var key = KeyOf(item.Prompt);
        if (heldOut) _heldOutPrompts.Add(key);
        else if (_heldOutPrompts.Contains(key))
        {
            _heldBack++;
            return;
        }

        // By the prompt itself, so that a prompt that occurs twice is on one side both times.
        heldOut |= _settings.Eval is null && _random.Uniform(RandomStream.Prompt, (long)(ulong)key & ((1L << 48) - 1), SplitPurpose) < _settings.HeldOut;
        (heldOut ? _heldOut : _train).Add(_items.Count);
        if (!heldOut && item.Answer.Length > 0 && Measured(line, "the answer", () => _lengths.Answer(item.Answer)) <= _lengths.AnswerRoom) _answered.Add(_items.Count);
        _items.Add(item);
    }

    private static int Measured(DataLine line, string what, Func<int> measure)
    {
        try
        {
            return measure();
        }
        catch (FormatException mistake)
        {
            throw line.Wrong(1, $"{what} cannot be written in the model's vocabulary", mistake.Message, "correct or remove the row, or choose a model that knows the sign");
        }
    }

    private void RequireUsable()
    {
        if (_settings.MaxBadRows is { } share && _bad > share * _rows)
            throw new DataException(_settings.Train, 0, 0, FormattableString.Invariant($"has {_bad:N0} bad rows of {_rows:N0} (its evaluation file included)"), FormattableString.Invariant($"data.max-bad-rows = {share:0.#####} allows {(int)(share * _rows):N0}, and the first is {_firstBad!.Message}"), "correct the file, or allow more");
        if (_train.Count == 0) throw new DataException(_settings.Train, 0, 0, "leaves nothing to train on", Counts.ToString(), "check the file and the limits of data { }");
        if (_heldOut.Count == 0) throw new DataException(_settings.Eval ?? _settings.Train, 0, 0, "leaves nothing to evaluate on", Counts.ToString(), _settings.Eval is null ? "raise data.held-out, or name a file in data.eval" : "check the file and the limits of data { }");
    }

    private static UInt128 KeyOf(string prompt) => BitConverter.ToUInt128(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)));
}
