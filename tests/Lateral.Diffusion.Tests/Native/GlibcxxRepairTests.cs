using System.Buffers.Binary;
using Lateral.Diffusion.Native;

namespace Lateral.Tests.Diffusion;

public class GlibcxxRepairTests
{
    private static readonly string Packaged = LibtorchLocator.FindLibTorchSharp();

    [LinuxFact]
    public void Repair_must_change_one_bit()
    {
        var original = File.ReadAllBytes(Packaged);
        var repaired = GlibcxxRepair.Repair(original);
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != repaired[i]).ToList();
        Assert.Equal(original[changed.Single()] | 0x2, repaired[changed.Single()]);
    }

    [LinuxFact]
    public void Repair_must_refuse_a_library_that_really_needs_the_version()
    {
        var bytes = File.ReadAllBytes(Packaged);
        var image = new ElfImage(bytes);
        var index = image.VersionNeeds().Single(need => need.Name == GlibcxxRepair.Version).Index;
        var symbols = image.Symbols().ToList();
        // The marker's version entry is unique in the table, so its neighbour can be made to ask for the same version.
        var at = VersionTableOffset(bytes, symbols);
        var marker = symbols.FindIndex(symbol => symbol.Name == GlibcxxRepair.Marker);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at + ((marker + 2) * 2)), index);

        var error = Assert.Throws<NativeBackendException>(() => GlibcxxRepair.Repair(bytes));
        Assert.Contains(symbols[marker + 1].Name, error.Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void RepairedCopy_must_survive_concurrent_starts_and_a_damaged_cache()
    {
        var cache = Directory.CreateTempSubdirectory().FullName;
        var copies = Enumerable.Range(0, 8).AsParallel().Select(_ => GlibcxxRepair.RepairedCopy(Packaged, cache)).Distinct().ToList();
        var copy = Assert.Single(copies);
        var expected = GlibcxxRepair.Repair(File.ReadAllBytes(Packaged));
        Assert.Equal(expected, File.ReadAllBytes(copy));

        File.WriteAllBytes(copy, [1, 2, 3]);
        Assert.Equal(copy, GlibcxxRepair.RepairedCopy(Packaged, cache));
        Assert.Equal(expected, File.ReadAllBytes(copy));
        Assert.Equal([copy], Directory.EnumerateFiles(cache, "*", SearchOption.AllDirectories));
    }

    [LinuxFact]
    public void SymbolCheck_must_find_every_symbol_and_notice_an_invented_one()
    {
        var backend = NativeBootstrap.Load();
        var required = SymbolCheck.Required(backend.LibTorchSharpPath).ToList();
        Assert.True(required.Count(name => name.Contains("2at4_ops", StringComparison.Ordinal)) > 500, $"only {required.Count} symbols were read");
        Assert.Empty(SymbolCheck.MissingSymbols(backend));
        Assert.Equal(["_ZN2at4_ops9invented_4callEv"], SymbolCheck.Missing(backend.LibTorchSharpPath, ["_ZN2at4_ops9invented_4callEv", required[0]]));
    }

    // Finds .gnu.version by content: the sequence of version indices that the image itself reads back.
    private static int VersionTableOffset(byte[] bytes, List<ElfSymbol> symbols)
    {
        var pattern = new byte[symbols.Count * 2];
        for (var i = 0; i < symbols.Count; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(pattern.AsSpan(i * 2), symbols[i].VersionIndex);
        return bytes.AsSpan().IndexOf(pattern) - 2;
    }
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "ELF libraries are a Linux matter";
    }
}
