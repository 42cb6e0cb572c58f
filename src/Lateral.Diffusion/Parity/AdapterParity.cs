using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>
/// Adapters against PEFT's: which modules they adapt, gradients of the supervised loss, logits with the adapter beside the weights and in them. Folders with an adapter's files, <c>case.json</c> and
/// <c>case.safetensors</c> within a model's.
/// </summary>
internal static class AdapterParity
{
    // The sum of two products is rounded otherwise than their weights' sum.
    private const double MergedTolerance = 2e-4;

    public static IEnumerable<ParityResult> Run(ParityFolder folder, string name)
    {
        using var scope = NewDisposeScope();
        using var own = new ParityFolder(Path.Combine(folder.Path, name), $"{folder.Name}/{name}");
        using var file = own.Tensors("case");
        using var model = folder.Load();
        using var adapter = LoraAdapter.Load(own.Path, model.Spec, trainable: true);
        var fixture = own.Required("case");
        var expected = fixture.List("keys").Select(key => key.GetString()!).ToHashSet(StringComparer.Ordinal);
        var found = adapter.Parameters.Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var results = new List<ParityResult> { ParityResult.Equal($"{own.Name} modules", expected.Except(found).Count() + found.Except(expected).Count(), "adapts other modules") };

        model.Adapter = adapter;
        if (fixture.Find("sft_loss") is { } loss)
        {
            // The adapted model learns from the base's case.
            if (folder.Json("case-loss") is { } examples) results.AddRange(LossParity.Compare(own.Name, adapter.Parameters, file, MaskedLoss.Of(model, LossParity.Supervised(examples), maskIsToken: true), loss.GetDouble(), "grad."));
            else results.Add(ParityResult.NotThere($"{own.Name} loss", "case-loss.json, whose examples it is of, is not there"));
        }

        using var quiet = no_grad();
        var ids_BL = file.Read("input_ids");
        results.Add(ForwardParity.Compare($"{own.Name} logits", file.Read("logits"), ForwardParity.Logits(model, model.Hidden(ids_BL)), ForwardParity.Tolerance));
        model.Merge();
        results.Add(ForwardParity.Compare($"{own.Name} merged", file.Read("logits"), ForwardParity.Logits(model, model.Hidden(ids_BL)), MergedTolerance));
        return results;
    }
}
