namespace Lateral.Diffusion.Sampling;

/// <param name="Device">for example <c>cpu</c> or <c>cuda:0</c></param>
/// <param name="Slots">S, canvases denoised at once</param>
/// <param name="Shape">fixed shapes for the deterministic mode; null = as small as the active canvases allow</param>
/// <param name="Seed">the run's seed: the root of every uniform number</param>
/// <param name="CanaryLimit">by how many nats per token the canary's score may differ from the learner's</param>
/// <param name="FirstPrompt">the training prompt of group 0: a rollout's random key is its prompt, not its place in this run</param>
public sealed record SamplerSettings(string Device, int Slots, FixedShape? Shape, ulong Seed, double CanaryLimit, long FirstPrompt = 0);
