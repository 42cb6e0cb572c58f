using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Sharded checkpoints: the index and the shards have to say the same, and nothing outside their folder is ever read.</summary>
public sealed class ModelWeightsTests : IDisposable
{
    private static readonly TransformerSpec Spec = TransformerSpec.OfSize("quickstart", 11, 10);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly TransformerModel _model = ModelStore.Fresh(Spec, seed: 4, trainable: false);

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Shards_must_load_like_one_file()
    {
        Write(map => map);
        Assert.True(ModelStore.Is(_folder));
        Assert.Equal(Spec, ModelStore.Inspect(_folder));
        using var scope = NewDisposeScope();
        using var loaded = ModelStore.Load(_folder);
        Assert.All(_model.Parameters, pair => Assert.True(pair.Value.equal(loaded.Parameters[pair.Key]).all().item<bool>(), pair.Key));
    }

    [Fact]
    public void Index_and_shards_that_disagree_must_be_refused_with_the_name()
    {
        const string embedding = "model.transformer.wte.weight";
        string Refusal(Func<Dictionary<string, string>, Dictionary<string, string>> change)
        {
            Write(change);
            return Assert.Throws<ModelException>(() => ModelStore.Load(_folder)).Message;
        }

        Assert.Contains("names the shard gone.safetensors, which is not there", Refusal(map => new(map) { [embedding] = "gone.safetensors" }), StringComparison.Ordinal);
        Assert.Contains($"says that {embedding} is in ", Refusal(map => new(map) { [embedding] = map.Values.First(shard => shard != map[embedding]) }), StringComparison.Ordinal);
        Assert.Contains($"does not name {embedding}, which a shard has", Refusal(map => new(map.Where(pair => pair.Key != embedding))), StringComparison.Ordinal);
        Assert.Contains("'../outside.safetensors' is no name of a safetensors file beside it", Refusal(map => new(map) { [embedding] = "../outside.safetensors" }), StringComparison.Ordinal);
        Assert.Contains("'/etc/passwd' is no name of a safetensors file beside it", Refusal(map => new(map) { [embedding] = "/etc/passwd" }), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), "{\"weight_map\": 3}");
        Assert.Contains("it has no object weight_map", Assert.Throws<ModelException>(() => ModelStore.Load(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_of_pickles_must_be_refused_with_the_way_to_convert_them()
    {
        File.WriteAllText(Path.Combine(_folder, ModelStore.ConfigFile), ModelFamilies.Format(Spec));
        File.WriteAllBytes(Path.Combine(_folder, "pytorch_model.bin"), [0x80, 2]);
        var message = Assert.Throws<ModelException>(() => ModelStore.Load(_folder)).Message;
        Assert.Contains("has neither model.safetensors nor model.safetensors.index.json", message, StringComparison.Ordinal);
        Assert.Contains("python -c", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_at_odd_boundaries_must_be_read_as_they_are()
    {
        // Header lengths of all residues: some tensors can be mapped, most cannot.
        using var scope = NewDisposeScope();
        var values = HostTensor.Of([.. Enumerable.Range(0, 1000).Select(i => (float)i)], 10, 100);
        for (var pad = 0; pad < 70; pad++)
        {
            var path = Path.Combine(_folder, $"{pad}.safetensors");
            var header = System.Text.Encoding.UTF8.GetBytes("{\"x\":{\"dtype\":\"F32\",\"shape\":[10,100],\"data_offsets\":[0,4000]}}" + new string(' ', pad));
            using (var stream = File.Create(path))
            {
                stream.Write(BitConverter.GetBytes((long)header.Length));
                stream.Write(header);
                stream.Write(values.bytes);
            }

            using var file = SafetensorsFile.Open(path);
            Assert.True(values.equal(file.Read("x")).all().item<bool>());
        }
    }

    private void Write(Func<Dictionary<string, string>, Dictionary<string, string>> change)
    {
        File.WriteAllText(Path.Combine(_folder, ModelStore.ConfigFile), ModelFamilies.Format(Spec));
        var map = _model.Parameters.Keys.Index().ToDictionary(pair => pair.Item, pair => $"part-{pair.Index % 3}.safetensors", StringComparer.Ordinal);
        foreach (var shard in map.GroupBy(pair => pair.Value)) SafetensorsWriter.Write(Path.Combine(_folder, shard.Key), shard.ToDictionary(pair => pair.Key, pair => _model.Parameters[pair.Key]));
        File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { }, weight_map = change(map) }));
    }
}
