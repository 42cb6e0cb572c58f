using Lateral.Diffusion.Objectives;

namespace Lateral.Diffusion.RewardModels;

/// <summary>How a reward model is trained; everything random follows from the seed.</summary>
/// <param name="Steps">updates</param>
/// <param name="Batch">pairs of an update</param>
/// <param name="MicroBatchTokens">what a forward holds at most, padding included; a pair that is longer stands alone</param>
/// <param name="ClipNorm">greatest norm of the gradient</param>
/// <param name="Centre">weight of the term that holds rewards around 0; 0 = off</param>
public sealed record RewardTrainingSettings(int Steps, int Batch, int MicroBatchTokens, LearningRate LearningRate, AdamSettings Adam, double ClipNorm, double Centre, ulong Seed)
{
    /// <summary>Whether a forward keeps what enters each block only, and computes the blocks again on the way back.</summary>
    public bool ActivationCheckpointing { get; init; }
}

/// <summary>Where the training of a reward model stands after an update; figures are of the update's own pairs, before it.</summary>
/// <param name="Step">1 to <paramref name="Steps"/></param>
/// <param name="GradientNorm">before clipping</param>
public sealed record RewardProgress(int Step, int Steps, double Loss, double Accuracy, double GradientNorm, double LearningRate);

/// <summary>A training of a reward model that cannot go on; the message says why and what to do.</summary>
public sealed class RewardTrainingException(string message) : Exception(message);
