using System.Diagnostics.CodeAnalysis;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// The continuous batch: S slots and a queue. A canvas that finishes frees its slot, and the next in the queue enters at
/// the following denoising step.
/// </summary>
internal sealed class CanvasBatch(int slots)
{
    private Canvas?[] _slots = new Canvas?[slots];
    private readonly LinkedList<Canvas> _queue = [];

    /// <summary>[S] the canvas of each slot, or null.</summary>
    public ReadOnlySpan<Canvas?> Slots => _slots;

    public bool HasWork => _queue.Count > 0 || Array.Exists(_slots, canvas => canvas is not null);

    public void Enqueue(Canvas canvas) => _queue.AddLast(canvas);

    /// <summary>Drops the group's queued and running canvases; held-out ones have numbers of their own and stay.</summary>
    public void Cancel(long group)
    {
        for (var i = 0; i < _slots.Length; i++)
        {
            if (Belongs(_slots[i])) _slots[i] = null;
        }

        for (var node = _queue.First; node is not null;)
        {
            var next = node.Next;
            if (Belongs(node.Value)) _queue.Remove(node);
            node = next;
        }

        bool Belongs([NotNullWhen(true)] Canvas? canvas) => canvas is { Evaluation: false } && canvas.Id.Group == group;
    }

    /// <summary>Half as many slots; what was in the others waits first in the queue, as far as it has come.</summary>
    public void Halve()
    {
        var (kept, left) = (_slots[..((_slots.Length + 1) / 2)], _slots[((_slots.Length + 1) / 2)..]);
        for (var i = left.Length - 1; i >= 0; i--)
        {
            if (left[i] is { } canvas) _queue.AddFirst(canvas);
        }

        _slots = kept;
    }

    /// <summary>Lets queued canvases enter free slots.</summary>
    public void Fill()
    {
        for (var i = 0; i < _slots.Length && _queue.First is { } first; i++)
        {
            if (_slots[i] is not null) continue;
            _slots[i] = first.Value;
            _queue.RemoveFirst();
        }
    }

    /// <summary>Takes the finished canvases out of their slots.</summary>
    public List<Canvas> TakeFinished()
    {
        var finished = new List<Canvas>();
        for (var i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is not { Finished: true } canvas) continue;
            finished.Add(canvas);
            _slots[i] = null;
        }

        return finished;
    }
}
