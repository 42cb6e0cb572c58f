using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Lateral.Benchmarks.Measuring;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using TorchSharp;

namespace Lateral.Benchmarks.Engines;

/// <summary>
/// Memory that loading takes: a sharded checkpoint of random bf16 weights in a published layout, tensors at boundaries of eight bytes as other writers have them, is loaded by a process of its own, which touches every weight and says its
/// peak.
/// </summary>
internal static class LoadingBenchmark
{
    public const string Child = "--load";

    private const int Shards = 4;

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder();
        List<string[]> rows = [["", "checkpoint MiB", "peak MiB", "peak / checkpoint"]];
        foreach (var (label, width, layers) in options.Quick ? [("small", 512, 4)] : new[] { ("1 GB", 1536, 16), ("4 GB", 2560, 24) })
        {
            var path = Directory.CreateDirectory(Path.Combine(folder.Path, label)).FullName;
            var bytes = Write(path, width, layers);
            var (peak, idle) = (await PeakAsync(path), await PeakAsync("nothing"));
            rows.Add([label, Number(bytes), Number(peak), (peak / (double)bytes).ToString("0.000", CultureInfo.InvariantCulture)]);
            rows.Add([$"{label}, less a process that loads nothing", Number(bytes), Number(peak - idle), ((peak - idle) / (double)bytes).ToString("0.000", CultureInfo.InvariantCulture)]);
            Directory.Delete(path, recursive: true);
        }

        report.Table(rows);
    }

    /// <summary>Loads, touches every weight, prints the peak in bytes.</summary>
    public static int Load(string path)
    {
        NativeBootstrap.Load();
        if (Directory.Exists(path))
        {
            using var scope = torch.NewDisposeScope();
            using var model = ModelStore.Load(path, trainable: false);
            var touched = model.Parameters.Values.Sum(parameter => (double)parameter.max().to_type(torch.ScalarType.Float32).item<float>());
            if (double.IsNaN(touched)) return 1;
        }

        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        Console.WriteLine(long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024);
        return 0;
    }

    private static async Task<long> PeakAsync(string path) => long.Parse(await ChildProcess.OutputAsync(Child, path), CultureInfo.InvariantCulture);

    /// <returns>bytes of the shards</returns>
    private static long Write(string path, int width, int layers)
    {
        var spec = new TransformerSpec(width, layers, width / 64, width * 27 / 10 / 64 * 64, 32_000, 4096, 1e-5, 500_000, 31_999, 2, 2);
        File.WriteAllText(Path.Combine(path, ModelStore.ConfigFile), ModelFamilies.Format(spec));
        var tensors = ModelStore.Shapes(spec).ToList();
        var (map, total) = (new Dictionary<string, string>(StringComparer.Ordinal), 0L);
        foreach (var (shard, part) in tensors.Chunk((tensors.Count + Shards - 1) / Shards).Index())
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"model-{shard + 1:00000}-of-{Shards:00000}.safetensors");
            foreach (var (tensor, _) in part) map[tensor] = name;
            total += WriteShard(Path.Combine(path, name), part);
        }

        File.WriteAllText(Path.Combine(path, "model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { total_size = total }, weight_map = map }));
        return total;
    }

    private static long WriteShard(string path, (string Name, long[] Shape)[] tensors)
    {
        var (entries, at) = (new Dictionary<string, object> { ["__metadata__"] = new { format = "pt" } }, 0L);
        foreach (var (name, shape) in tensors)
        {
            var length = 2 * shape.Aggregate(1L, (product, size) => product * size);
            entries[name] = new { dtype = "BF16", shape, data_offsets = new[] { at, at + length } };
            at += length;
        }

        var header = JsonSerializer.SerializeToUtf8Bytes(entries);
        // To eight bytes and no further, and never to sixty-four by chance.
        var padded = ((header.Length + 7) / 8 * 8) is var length8 && (8 + length8) % 64 == 0 ? length8 + 8 : length8;
        using var stream = File.Create(path);
        Span<byte> count = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(count, padded);
        stream.Write(count);
        stream.Write(header);
        for (var i = header.Length; i < padded; i++) stream.WriteByte((byte)' ');
        var (block, random) = (new byte[1 << 20], new Random(1));
        for (var left = at; left > 0; left -= block.Length)
        {
            random.NextBytes(block);
            // The upper byte of a bf16 between a quarter and one, of either sign: sign and the first seven bits of the exponent.
            for (var i = 1; i < block.Length; i += 2) block[i] = (byte)((block[i] & 0x80) | 0x3E);
            stream.Write(block, 0, (int)Math.Min(block.Length, left));
        }

        return 8 + padded + at;
    }

    private static string Number(long bytes) => (bytes / (1024.0 * 1024)).ToString("#,0", CultureInfo.InvariantCulture);
}
