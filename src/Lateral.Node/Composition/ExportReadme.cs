using System.Globalization;
using Lateral.Core.Runs;

namespace Lateral.Node.Composition;

/// <summary>What an exported directory says of itself.</summary>
internal static class ExportReadme
{
    public static string Of(ModelOrigin origin, RunSettings settings, ExportFormat format) =>
        $"{Title(origin)}\n\n{(format == ExportFormat.Peft ? Adapter(origin, settings) : Model(origin, settings))}".ReplaceLineEndings("\n");

    private static string Title(ModelOrigin origin) => $"# {origin.Run}, step {origin.Step.ToString(CultureInfo.InvariantCulture)}";

    private static string Trained(ModelOrigin origin) => $"trained with Lateral on the task {origin.Task}{(origin.ForkedFrom is { } parent ? $" (forked from {parent})" : "")}";

    private static string Model(ModelOrigin origin, RunSettings settings) => $"""
        A masked diffusion language model {(settings.Model.Path is null ? "of the LLaDA architecture, " : "")}{Trained(origin)}.
        It completes a prompt in {settings.Rollout.Spec.Steps} denoising steps. Weights: SHA-256 {origin.Sha256}.

            lateral eval DIR                    evaluate it on the task's held-out prompts
            lateral sample DIR --count 4        watch it complete some of them
            lateral train CONF --set model.path=DIR --set warmup.steps=0

        Python, with the model's own code (in this directory where the base came with it):

            from transformers import AutoModel
            model = AutoModel.from_pretrained("DIR", trust_remote_code=True)

        `config.json` and `model.safetensors` are laid out as released models of the kind are; {(settings.Model.Path is null ? $"`{ModelExport.VocabularyFile}` holds its tokens,\n" : "its tokenizer's files lie beside them,\n")}`{ModelExport.ConfigFile}` holds the task and how to sample, `{ModelExport.OriginFile}` where it comes from.

        """;

    private static string Adapter(ModelOrigin origin, RunSettings settings) => $"""
        A LoRA adapter in PEFT's files, {Trained(origin)}. It adds to the model that `adapter_config.json` names. Weights: SHA-256 {origin.Sha256}.

        Python:

            from transformers import AutoModel
            from peft import PeftModel
            model = AutoModel.from_pretrained("{settings.Model.Path}", trust_remote_code=True)
            model = PeftModel.from_pretrained(model, "DIR")

        `lateral export RUN --format hf --to DIR2` writes the whole model with the adapter in its weights, which `lateral eval` and `lateral sample` take.

        """;
}
