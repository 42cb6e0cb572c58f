using Lateral.Core.Prompts;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tokens;
using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Node.Composition;

/// <summary>A folder with <c>config.json</c> and <c>model.safetensors</c>: as LLaDA models are released, as checkpoints lie, and as <c>export</c> writes them.</summary>
internal static class ModelFolder
{
    public static bool Is(string path) => ModelStore.Is(path);

    /// <exception cref="UserException">a file of a model directory is missing</exception>
    public static void RequireFiles(string path, string who)
    {
        if (!Is(path))
            throw new UserException(ExitCode.Usage, $"{who} = {path}: no model there - a model directory has {ModelStore.ConfigFile} and {ModelStore.WeightsFile}; export writes one");
    }

    /// <summary>Checks what can be known without libtorch: that configuration, weights and vocabulary fit one another.</summary>
    /// <param name="who">what names the folder, for example <c>model.path</c></param>
    /// <exception cref="UserException">the folder cannot be used; says why and what to do</exception>
    public static void Require(string path, ITokenizer tokenizer, string who)
    {
        RequireFiles(path, who);
        var spec = Explain(who, () => ModelStore.Inspect(path));
        if (spec.MaskToken != tokenizer.MaskId || spec.Vocabulary < tokenizer.VocabularySize)
            throw new UserException(ExitCode.Usage, $"{who} = {path}: the model masks with token {spec.MaskToken} of {spec.Vocabulary}, the task's vocabulary with {tokenizer.MaskId} of {tokenizer.VocabularySize} - choose the task the model was trained for");
    }

    /// <inheritdoc cref="Explain{T}"/>
    public static void Explain(string who, Action read) => Explain(who, () =>
    {
        read();
        return true;
    });

    /// <summary>What reading a model's files found wrong, as the mistake of whoever named them.</summary>
    /// <param name="who">what names the folder</param>
    /// <exception cref="UserException">a file is missing, not sound, or asks for something that is not implemented</exception>
    public static T Explain<T>(string who, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception mistake) when (mistake is ModelException or SafetensorsException or TokenizerException or TemplateException or IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.Usage, $"{who}: {mistake.Message}", mistake);
        }
    }
}
