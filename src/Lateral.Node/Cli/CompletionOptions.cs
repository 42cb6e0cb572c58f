using System.CommandLine;
using Lateral.Core.Policies;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Tensors;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary>How a published model's directory is asked to answer, by <c>sample</c> and <c>eval --suite</c> alike.</summary>
internal sealed class CompletionOptions
{
    private readonly Option<int> _length = new("--gen-length") { Description = "tokens of a completion of a published model", DefaultValueFactory = _ => 128 };
    private readonly Option<int?> _block = new("--block-length") { Description = "tokens of its blocks (default: 32, or what the model was trained with)" };
    private readonly Option<int?> _steps = new("--steps") { Description = "its denoising steps; of block-causal models, of a block (default: one a token)" };
    private readonly Option<string?> _rule = new("--rule") { Description = "what a step reveals (default: as the family is published; a wrong name lists them)", HelpName = "NAME" };
    private readonly Option<double?> _threshold = new("--threshold") { Description = "how sure a token has to be, for rules that ask" };
    private readonly Option<string> _cache = new("--cache") { Description = "none, prefix, dual, delayed or vicinity: what of a full-attention model is not computed again", DefaultValueFactory = _ => "none" };
    private readonly Option<string> _chat = new("--chat") { Description = "whether prompts go into the model's chat template: auto, on or off", DefaultValueFactory = _ => "auto" };
    private readonly Option<string> _device = new("--device") { Description = "cpu or cuda:N", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string> _precision = new("--precision") { Description = "float32 or bfloat16", DefaultValueFactory = _ => "float32" };
    private readonly Option<int> _threads = new("--threads") { Description = "threads of a forward on the CPU (default: one for each core)", DefaultValueFactory = _ => Environment.ProcessorCount };
    private readonly Option<ulong> _seed = new("--seed") { Description = "of the draws", DefaultValueFactory = _ => 1UL };

    public CompletionOptions()
    {
        _cache.AcceptOnlyFromAmong("none", "prefix", "dual", "delayed", "vicinity");
        _chat.AcceptOnlyFromAmong("auto", "on", "off");
        _precision.AcceptOnlyFromAmong("float32", "bfloat16");
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _length, _block, _steps, _rule, _threshold, _cache, _chat, _device, _precision, _threads, _seed }) command.Add(option);
    }

    public CompletionSettings Settings(ParseResult parsed, double temperature) => new(parsed.GetValue(_length), parsed.GetValue(_rule))
    {
        BlockLength = parsed.GetValue(_block),
        Steps = parsed.GetValue(_steps),
        Temperature = temperature,
        Threshold = parsed.GetValue(_threshold),
        Cache = parsed.GetValue(_cache) switch { "prefix" => DecodingCache.Prefix, "dual" => DecodingCache.Dual, "delayed" => new DelayedCache(), "vicinity" => new VicinityCache(), _ => DecodingCache.None },
        Seed = parsed.GetValue(_seed),
    };

    /// <exception cref="UserException">the device does not exist, or a file of the model is missing or cannot be used</exception>
    /// <exception cref="NativeBackendException">libtorch cannot be loaded</exception>
    public Task<TextCompleter> OpenAsync(ParseResult parsed, string folder)
    {
        var device = parsed.GetValue(_device)!;
        RunComposition.RequireDevices(NativeBootstrap.Load(null), "--device", device);
        TorchThreads.Use(Math.Clamp(parsed.GetValue(_threads), 1, 1024));
        bool? chat = parsed.GetValue(_chat) switch { "on" => true, "off" => false, _ => null };
        return TextCompleter.OpenAsync(folder, chat, device, parsed.GetValue(_precision) == "bfloat16" ? ModelPrecision.BFloat16 : ModelPrecision.Float32);
    }
}
