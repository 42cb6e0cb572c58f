using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="TemperaturePositive">tau where A > 0: larger = the gate closes sooner</param>
/// <param name="TemperatureNegative">tau where A &lt; 0</param>
public sealed record SapoSettings(double TemperaturePositive, double TemperatureNegative)
{
    public static SapoSettings From(MethodSettings method) => new(method["temperature-positive"], method["temperature-negative"]);
}

/// <summary>
/// SAPO (soft adaptive policy optimisation, arXiv 2511.20347): instead of a clip a smooth gate, loss = -A (4 / tau) sigmoid(tau (rho - 1)), whose
/// gradient at rho = 1 is that of -A rho and fades on both sides.
/// </summary>
public sealed class Sapo(SapoSettings settings) : ICorrection
{
    public string Name => "sapo";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var ratio_U = Ratios.Of(logp_U, units.Behaviour_U);
        Tensor Gate(double temperature) => ratio_U.Minus(1).Times(temperature).sigmoid().Times(4 / temperature);
        var gate_U = where(Ratios.Positive(units.Advantage_U), Gate(settings.TemperaturePositive), Gate(settings.TemperatureNegative));
        return new(gate_U.Times(units.Advantage_U).neg(), zeros_like(logp_U, ScalarType.Bool));
    }
}
