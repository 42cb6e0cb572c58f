using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Adapters against PEFT's: which modules they adapt, logits with the adapter beside the weights and in them, gradients of the supervised loss. Folders <c>lora-*</c> in a model's.</summary>
internal static class AdapterParity
{
    // Of a loss as large as these, and of gradients relative to each tensor's largest.
    private const double LogitTolerance = 5e-5, MergedTolerance = 2e-4;

    public static IEnumerable<ParityResult> Run(ParityFolder folder)
    {
        foreach (var path in Directory.EnumerateDirectories(folder.Path, "lora-*").Order(StringComparer.Ordinal))
        {
            foreach (var result in Run(folder, path)) yield return result;
        }
    }

    private static List<ParityResult> Run(ParityFolder folder, string path)
    {
        using var scope = NewDisposeScope();
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path, "case.json")));
        using var file = SafetensorsFile.Open(Path.Combine(path, "case.safetensors"));
        using var model = folder.Load();
        using var adapter = LoraAdapter.Load(path, model.Spec, trainable: true);
        var (fixture, name) = (document.RootElement, $"{folder.Name}/{Path.GetFileName(path)}");
        var expected = fixture.GetProperty("keys").EnumerateArray().Select(key => key.GetString()!).Order(StringComparer.Ordinal).ToList();
        var found = adapter.Parameters.Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
        var results = new List<ParityResult> { new($"{name} modules", expected.Except(found).Count() + found.Except(expected).Count(), expected.SequenceEqual(found) ? "" : "adapts other modules") };

        model.Adapter = adapter;
        if (folder.Json("case-loss") is { } loss)
        {
            var batch = LossParity.Supervised(loss);
            results.AddRange(LossParity.Compare(name, adapter.Parameters, file, Objectives.MaskedLoss.Of(model, batch, maskIsToken: true), fixture.GetProperty("sft_loss").GetDouble(), "grad."));
        }

        using var quiet = no_grad();
        var ids_BL = file.Read("input_ids");
        Tensor Logits() => model.Logits(model.Hidden(ids_BL).view(-1, model.Spec.Width)).view(ids_BL.shape[0], ids_BL.shape[1], -1);
        results.Add(ForwardParity.Compare($"{name} logits", file.Read("logits"), Logits(), LogitTolerance));
        model.Merge();
        results.Add(ForwardParity.Compare($"{name} merged", file.Read("logits"), Logits(), MergedTolerance));
        return results;
    }
}
