using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>The weights of a model directory: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names. Nothing in either is believed before it is checked.</summary>
internal sealed class ModelWeights : IDisposable
{
    public const string File = "model.safetensors", Index = "model.safetensors.index.json";

    private const int MostShards = 10_000, MostIndexBytes = 64 << 20;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> _tensors = new(StringComparer.Ordinal);

    private ModelWeights(string path) => Path = path;

    /// <summary>What messages name.</summary>
    public string Path { get; }

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <exception cref="ModelException">there are no weights, or index and shards disagree</exception>
    /// <exception cref="SafetensorsException">a file is not sound</exception>
    public static ModelWeights Open(string folder)
    {
        var single = System.IO.Path.Combine(folder, File);
        var index = System.IO.Path.Combine(folder, Index);
        // As other loaders do: the index counts where both are there.
        if (!System.IO.File.Exists(index))
        {
            if (!System.IO.File.Exists(single)) throw new ModelException(Missing(folder));
            return Opened(new ModelWeights(single), weights => weights.Add(single));
        }

        return Opened(new ModelWeights(index), weights => weights.AddShards(folder, index));
    }

    public static bool In(string folder) => System.IO.File.Exists(System.IO.Path.Combine(folder, File)) || System.IO.File.Exists(System.IO.Path.Combine(folder, Index));

    /// <summary>The files of a model's weights, index included.</summary>
    public static IReadOnlyList<string> FilesIn(string folder)
    {
        using var weights = Open(folder);
        return weights.Path.EndsWith(Index, StringComparison.Ordinal) ? [weights.Path, .. weights._files.Select(file => file.Path)] : [weights.Path];
    }

    public IReadOnlyList<long> ShapeOf(string name) => _tensors[name].Entry.Shape;

    /// <inheritdoc cref="SafetensorsFile.Read"/>
    public Tensor Read(string name) => _tensors[name].File.Read(name);

    /// <summary>SHA-256 of the file; of shards, of their hashes in the order of their names.</summary>
    public string Sha256()
    {
        var hashes = _files.ConvertAll(file =>
        {
            using var stream = System.IO.File.OpenRead(file.Path);
            return SHA256.HashData(stream);
        });
        return Convert.ToHexStringLower(hashes.Count == 1 ? hashes[0] : SHA256.HashData([.. hashes.SelectMany(hash => hash)]));
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private static ModelWeights Opened(ModelWeights weights, Action<ModelWeights> fill)
    {
        try
        {
            fill(weights);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private void Add(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (var entry in file.Tensors)
        {
            if (!_tensors.TryAdd(entry.Name, (file, entry))) throw new ModelException($"'{Path}': {entry.Name} stands in two shards, the second is '{path}'");
        }
    }

    private void AddShards(string folder, string index)
    {
        var map = ReadIndex(index);
        foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var path = System.IO.Path.Combine(folder, shard);
            if (!System.IO.File.Exists(path)) throw new ModelException($"'{index}' names the shard {shard}, which is not there - fetch it again");
            Add(path);
        }

        foreach (var (name, shard) in map)
        {
            if (!_tensors.TryGetValue(name, out var found) || System.IO.Path.GetFileName(found.File.Path) != shard) throw new ModelException($"'{index}' says that {name} is in {shard}, and it is not");
        }

        if (_tensors.Keys.FirstOrDefault(name => !map.ContainsKey(name)) is { } unnamed) throw new ModelException($"'{index}' does not name {unnamed}, which a shard has");
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostIndexBytes) throw new JsonException($"it has more than {MostIndexBytes} bytes");
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object) throw new JsonException("it has no object weight_map");
            var shards = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var entry in map.EnumerateObject())
            {
                var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : throw new JsonException($"{entry.Name} has no file name");
                // A shard lies beside its index and nowhere else.
                if (shard != System.IO.Path.GetFileName(shard) || !shard.EndsWith(".safetensors", StringComparison.Ordinal)) throw new JsonException($"'{shard}' is no name of a safetensors file beside it");
                if (!shards.TryAdd(entry.Name, shard)) throw new JsonException($"{entry.Name} stands there twice");
            }

            if (shards.Values.Distinct(StringComparer.Ordinal).Count() > MostShards) throw new JsonException($"it names more than {MostShards} shards");
            return shards;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ModelException($"'{path}' is no index of shards: {error.Message}", error);
        }
    }

    private static string Missing(string folder)
    {
        var pickles = Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.bin").Any();
        return $"'{folder}' has neither {File} nor {Index}"
            + (pickles ? "; its .bin files are PyTorch pickles, which can run code when they are read and are therefore never read here - convert them where you trust them: "
                + "python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('in.bin', weights_only=True), 'out.safetensors')\"" : "");
    }
}
