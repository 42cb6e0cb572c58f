namespace Lateral.Diffusion.Tensors;

/// <summary>Whether operations record what a backward pass needs.</summary>
public enum Autograd
{
    /// <summary>Nothing is recorded: sampling, evaluation, optimizer updates.</summary>
    Off,

    /// <summary>Recorded for tensors that require gradients: training.</summary>
    On,
}
