using System.Text.RegularExpressions;
using Lateral.Core;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Low-rank additions to some of a model's linear maps (LoRA, Hu et al., arXiv 2106.09685), in PEFT's files: adapter_config.json and adapter_model.safetensors. The base stays as it is.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private const string Prefix = "base_model.model.", SuffixA = ".lora_A.weight", SuffixB = ".lora_B.weight";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, LowRank> _modules;

    private LoraAdapter(LoraSettings settings, SortedDictionary<string, LowRank> modules) => (Settings, _modules) = (settings, modules);

    public LoraSettings Settings { get; }

    /// <summary>SHA-256 of the weights that it adds to; null where nobody asks.</summary>
    public string? BaseHash { get; init; }

    /// <summary>Paths of the modules that are adapted.</summary>
    public IReadOnlyCollection<string> Modules => _modules.Keys;

    /// <summary>Every parameter by PEFT's name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Parameters =>
        _modules.SelectMany(module => new[] { KeyValuePair.Create($"{Prefix}{module.Key}{SuffixA}", module.Value.A), KeyValuePair.Create($"{Prefix}{module.Key}{SuffixB}", module.Value.B) });

    /// <summary>A fresh adapter: A as PEFT draws it, uniform within sqrt(3 / in) / sqrt(3) of zero, and B zero, so that the model is the base.</summary>
    /// <exception cref="ModelException">the settings adapt no module of the model</exception>
    /// <param name="baseHash">see <see cref="BaseHash"/></param>
    public static LoraAdapter Fresh(TransformerSpec spec, LoraSettings settings, ulong seed, Device? device = null, bool trainable = true, string? baseHash = null)
    {
        var random = new CounterRandom(seed);
        return Build(spec, settings, device ?? CPU, trainable, baseHash, (module, place, shapeA, shapeB) =>
        {
            // Kaiming's uniform law with a = sqrt(5) has the bound sqrt(6 / ((1 + 5) in)).
            var (values, bound) = (new float[shapeA[0] * shapeA[1]], 1 / Math.Sqrt(shapeA[1]));
            for (var i = 0; i < values.Length; i++) values[i] = (float)(bound * ((2 * random.Uniform(RandomStream.Initialization, i, place)) - 1));
            return (HostTensor.Of(values, shapeA), zeros(shapeB));
        });
    }

    /// <summary>Reads PEFT's files.</summary>
    /// <exception cref="ModelException">they do not fit one another or the model, or ask for something that is not implemented</exception>
    /// <exception cref="SafetensorsException">the weights file is not sound</exception>
    /// <param name="baseHash">see <see cref="BaseHash"/></param>
    public static LoraAdapter Load(string folder, TransformerSpec spec, Device? device = null, bool trainable = false, string? baseHash = null)
    {
        var (path, settings) = (Path.Combine(folder, LoraSettings.WeightsFile), LoraSettings.Read(folder));
        try
        {
            using var file = SafetensorsFile.Open(path);
            var left = file.Tensors.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
            var adapter = Build(spec, settings, device ?? CPU, trainable, baseHash, (module, _, shapeA, shapeB) => (Read(module + SuffixA, shapeA), Read(module + SuffixB, shapeB)));
            if (left.Count == 0) return adapter;
            using (adapter) throw new ModelException($"it has {left.Count} tensors of modules that its settings do not adapt, such as {left.Order(StringComparer.Ordinal).First()}");

            Tensor Read(string name, long[] shape)
            {
                if (!left.Remove(Prefix + name)) throw new ModelException($"it has no tensor {Prefix}{name}, and its settings adapt that module");
                var tensor = file.Read(Prefix + name).to_type(ScalarType.Float32);
                return tensor.shape.SequenceEqual(shape) ? tensor : throw new ModelException($"{Prefix}{name} is [{string.Join(", ", tensor.shape)}], and the model's module needs [{string.Join(", ", shape)}]");
            }
        }
        catch (Exception error) when (error is ModelException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"'{path}': {error.Message}", error);
        }
    }

    /// <summary>Writes PEFT's files into an existing folder.</summary>
    /// <returns>SHA-256 of the weights file</returns>
    public string Save(string folder)
    {
        DurableFile.WriteText(Path.Combine(folder, LoraSettings.ConfigFile), Settings.Format());
        return SafetensorsWriter.Write(Path.Combine(folder, LoraSettings.WeightsFile), Parameters.ToDictionary(), new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>The linear maps of a model, of which settings may adapt some: what a list of targets misses, or hits unasked.</summary>
    /// <returns>sentences for the user; empty = every linear map of the blocks and nothing else is adapted</returns>
    public static IReadOnlyList<string> Warnings(TransformerSpec spec, LoraSettings settings)
    {
        var head = ModulePath(ModelFamilies.Of(spec).Head);
        var (adapted, missed) = (Linear(spec).Where(layout => settings.Adapts(ModulePath(layout.Name))).ToList(), Linear(spec).Where(layout => !settings.Adapts(ModulePath(layout.Name))).Select(layout => ModulePath(layout.Name)).Where(module => module != head).ToList());
        var unknown = settings.Targets.Where(target => !adapted.Any(layout => ModulePath(layout.Name) is var module && (module == target || module.EndsWith($".{target}", StringComparison.Ordinal)))).ToList();
        return
        [
            .. unknown.Count > 0 ? [$"no module of a {spec.Family} model is called {string.Join(", ", unknown)}"] : Array.Empty<string>(),
            .. missed.Count > 0 ? [$"{missed.Count} linear maps of the blocks stay as they are, such as {missed[0]}"] : Array.Empty<string>(),
            .. settings.Adapts(head) ? [$"the head, {head}, is adapted too"] : Array.Empty<string>(),
        ];
    }

    public void Dispose()
    {
        foreach (var module in _modules.Values)
        {
            module.A.Dispose();
            module.B.Dispose();
        }
    }

    internal LowRank? Of(string parameter) => _modules.GetValueOrDefault(ModulePath(parameter));

    /// <exception cref="ModelException">the settings adapt no module of the model; names some that it has</exception>
    public static void RequireModules(TransformerSpec spec, LoraSettings settings)
    {
        if (ParameterCount(spec, settings) > 0) return;
        throw new ModelException($"target_modules {(settings.Pattern is { } pattern ? $"\"{pattern}\"" : string.Join(", ", settings.Targets))} names no linear map of a {spec.Family} model, whose first block has {string.Join(", ", Linear(spec).Where(layout => layout.Name.Contains(".0.", StringComparison.Ordinal)).Take(8).Select(layout => ModulePath(layout.Name)))}");
    }

    /// <summary>How many numbers an adapter has.</summary>
    public static long ParameterCount(TransformerSpec spec, LoraSettings settings) =>
        Linear(spec).Where(layout => settings.Adapts(ModulePath(layout.Name))).Sum(layout => settings.Rank * (layout.Shape[0] + layout.Shape[1]));

    /// <summary>An expression for every linear map of the blocks. Experts are left out, of which a block has hundreds, and so is the head.</summary>
    public static string EveryLinearMap(TransformerSpec spec)
    {
        // "model.layers.0.self_attn.q_proj" is prefix, number and rest; an expert's rest goes on with experts.N.
        var modules = Linear(spec).Select(layout => Regex.Match(ModulePath(layout.Name), @"^(?<prefix>.*?)\.\d+\.(?<rest>.*)$", RegexOptions.ExplicitCapture, Patience)).Where(match => match.Success)
            .Select(match => (Prefix: match.Groups["prefix"].Value, Below: match.Groups["rest"].Value)).Where(module => !module.Below.Contains("experts.", StringComparison.Ordinal) || module.Below.Contains("shared_experts.", StringComparison.Ordinal)).Distinct().ToList();
        return string.Join('|', modules.GroupBy(module => module.Prefix, module => Regex.Escape(module.Below)).Select(group => $@"{Regex.Escape(group.Key)}\.\d+\.({string.Join('|', group)})"));
    }

    private static LoraAdapter Build(TransformerSpec spec, LoraSettings settings, Device device, bool trainable, string? baseHash, Func<string, int, long[], long[], (Tensor A, Tensor B)> values)
    {
        RequireModules(spec, settings);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var modules = new SortedDictionary<string, LowRank>(StringComparer.Ordinal);
        foreach (var (place, layout) in Linear(spec).Where(layout => settings.Adapts(ModulePath(layout.Name))).Index())
        {
            var (a, b) = values(ModulePath(layout.Name), place, [settings.Rank, layout.Shape[1]], [layout.Shape[0], settings.Rank]);
            Tensor Own(Tensor tensor)
            {
                var own = HostTensor.Aligned(tensor.to(device).clone());
                own.requires_grad = trainable;
                return own;
            }

            modules.Add(ModulePath(layout.Name), new(Own(a), Own(b), settings.Scale));
        }

        foreach (var module in modules.Values)
        {
            module.A.DetachFromDisposeScope();
            module.B.DetachFromDisposeScope();
        }

        return new(settings, modules) { BaseHash = baseHash };
    }

    /// <summary>Everything with two dimensions but the embedding and what decides between experts.</summary>
    private static IEnumerable<ParameterLayout> Linear(TransformerSpec spec)
    {
        var family = ModelFamilies.Of(spec);
        return ModelLayout.Of(spec).Where(layout => layout.Shape.Length == 2 && layout.Name != family.Embedding && !UnmaskingPolicyLayout.Owns(layout.Name) && !layout.Name.EndsWith("mlp.gate.weight", StringComparison.Ordinal));
    }

    private static string ModulePath(string parameter) => parameter.EndsWith(".weight", StringComparison.Ordinal) ? parameter[..^".weight".Length] : parameter;
}
