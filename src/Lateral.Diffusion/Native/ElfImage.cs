using System.Buffers.Binary;
using System.Text;

namespace Lateral.Diffusion.Native;

/// <summary>A symbol of a shared object's dynamic symbol table.</summary>
/// <param name="Undefined">True when another library must provide it.</param>
/// <param name="Weak">True when the loader may leave it unresolved.</param>
/// <param name="VersionIndex">Index into the version requirements (`vna_other`).</param>
internal sealed record ElfSymbol(string Name, bool Undefined, bool Weak, ushort VersionIndex);

/// <summary>One required symbol version, such as GLIBCXX_3.4.32 of libstdc++.so.6.</summary>
/// <param name="FlagsOffset">File offset of the 16-bit `vna_flags`.</param>
internal sealed record ElfVersionNeed(string Name, ushort Index, int FlagsOffset);

/// <summary>The few parts of a little-endian 64-bit ELF shared object that the bootstrap and `doctor` read.</summary>
internal sealed class ElfImage
{
    private readonly byte[] bytes;
    private readonly Dictionary<string, (int Offset, int Size)> sections = new(StringComparer.Ordinal);

    public ElfImage(byte[] bytes)
    {
        this.bytes = bytes;
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("not a little-endian 64-bit ELF file");
        int table = (int)U64(0x28), entry = U16(0x3A), count = U16(0x3C), names = Section(U16(0x3E)).Offset;
        for (var i = 0; i < count; i++) sections[Text(names + (int)U32(table + (i * entry)))] = Section(i);

        // Elf64_Shdr: name u32, type u32, flags u64, address u64, offset u64, size u64, ...
        (int Offset, int Size) Section(int index) =>
            ((int)U64(table + (index * entry) + 0x18), (int)U64(table + (index * entry) + 0x20));
    }

    /// <summary>The dynamic symbols, in file order.</summary>
    public IEnumerable<ElfSymbol> Symbols()
    {
        var (offset, size) = sections[".dynsym"];
        int strings = sections[".dynstr"].Offset, versions = sections[".gnu.version"].Offset;
        // Elf64_Sym (24 bytes): name u32, info u8 (bind in the high half; 2 = weak), other u8, section u16 (0 = undefined), value, size.
        for (var i = 1; i < size / 24; i++)
        {
            var at = offset + (i * 24);
            yield return new(Text(strings + (int)U32(at)), U16(at + 6) == 0, bytes[at + 4] >> 4 == 2, (ushort)(U16(versions + (i * 2)) & 0x7FFF));
        }
    }

    /// <summary>The symbol versions that other libraries must define.</summary>
    public IEnumerable<ElfVersionNeed> VersionNeeds()
    {
        var strings = sections[".dynstr"].Offset;
        var file = sections[".gnu.version_r"].Offset;
        while (true)
        {
            // Elf64_Verneed: version u16, count u16, file u32, aux u32, next u32. Elf64_Vernaux: hash u32, flags u16, other u16, name u32, next u32.
            var aux = file + (int)U32(file + 8);
            for (var left = U16(file + 2); left > 0; left--, aux += (int)U32(aux + 12))
                yield return new(Text(strings + (int)U32(aux + 8)), U16(aux + 6), aux + 4);
            if (U32(file + 12) == 0) yield break;
            file += (int)U32(file + 12);
        }
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));

    private string Text(int at) => Encoding.UTF8.GetString(bytes.AsSpan(at, bytes.AsSpan(at).IndexOf((byte)0)));
}
