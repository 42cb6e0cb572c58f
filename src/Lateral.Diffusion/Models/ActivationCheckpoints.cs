using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Activation checkpointing by block (Chen et al., arXiv 1604.06174): a forward keeps what enters each block, and the way back computes one block again at a time. Memory is that of one block and of L
/// inputs, time that of one more forward.
/// </summary>
/// <remarks>
/// Blocks are run again from here and not from within libtorch's backward pass: memory that is not there then is an exception of this thread, like any other. It holds one forward; the next takes its
/// place. R rows, D width.
/// </remarks>
internal sealed class ActivationCheckpoints : IDisposable
{
    private readonly List<(Tensor Input_RD, Func<Tensor, Tensor> Block)> _blocks = [];
    private readonly List<Tensor> _kept = [];
    private Tensor? _output;

    /// <summary>Begins a forward.</summary>
    public void Begin() => Dispose();

    /// <summary>A handle of what a block needs besides its input; it lives until the way back is done.</summary>
    public Tensor Keep(Tensor tensor)
    {
        var own = tensor.alias().DetachFromDisposeScope();
        _kept.Add(own);
        return own;
    }

    /// <summary>Runs a block without recording it.</summary>
    public Tensor Run(Tensor x_RD, Func<Tensor, Tensor> block)
    {
        _blocks.Add((Keep(x_RD), block));
        using var quiet = no_grad();
        return block(x_RD);
    }

    /// <summary>What the loss is computed from: the last block's output, of which it takes the gradient.</summary>
    public Tensor End(Tensor y_RD)
    {
        _output = Keep(y_RD.detach());
        _output.requires_grad = true;
        return _output.alias();
    }

    /// <summary>The way back, after the loss's own: adds to the parameters' gradients what goes through the blocks.</summary>
    public void Backward()
    {
        if (_output is null) return;
        try
        {
            var gradient_RD = _output.grad ?? throw new InvalidOperationException("the loss did not go back to the model's last block");
            for (var i = _blocks.Count - 1; i >= 0; i--)
            {
                using var scope = NewDisposeScope();
                var (input_RD, block) = _blocks[i];
                var x_RD = input_RD.detach();
                x_RD.requires_grad = true;
                block(x_RD).backward([gradient_RD]);
                gradient_RD = Keep(x_RD.grad!);
            }

            // The embedding, where it is trained.
            if (_blocks[0].Input_RD.requires_grad) _blocks[0].Input_RD.backward([gradient_RD]);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _kept) tensor.Dispose();
        _kept.Clear();
        _blocks.Clear();
        _output = null;
    }
}
