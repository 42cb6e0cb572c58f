using System.Buffers.Binary;

namespace Lateral.Rewards.Sandbox.Filter;

/// <summary>
/// Writes a classic BPF program over the kernel's <c>struct seccomp_data</c>: 4 bytes of call number, 4 of architecture, 8 of instruction pointer, six arguments of 8 bytes. An instruction is
/// <c>struct sock_filter</c>: 2 bytes of code, 1 + 1 of jumps over so many instructions, 4 of constant, little-endian.
/// </summary>
internal sealed class BpfAssembler
{
    public const uint Number = 0, Architecture = 4;

    // BPF_LD|BPF_W|BPF_ABS, BPF_ALU|BPF_AND|BPF_K, BPF_JMP|{JEQ, JGE, JSET}|BPF_K, BPF_RET|BPF_K.
    private const ushort LoadWord = 0x20, AndConstant = 0x54, Equal = 0x15, AtLeast = 0x35, AnyBit = 0x45, Give = 0x06;

    private readonly List<(ushort Code, byte Then, byte Else, uint Constant)> _program = [];

    /// <summary>Where the low half of an argument stands; the high half is 4 bytes behind it.</summary>
    public static uint Argument(int index) => 16 + (8 * (uint)index);

    public BpfAssembler Load(uint offset) => Add(LoadWord, 0, 0, offset);

    public BpfAssembler And(uint mask) => Add(AndConstant, 0, 0, mask);

    public BpfAssembler Return(uint action) => Add(Give, 0, 0, action);

    public BpfAssembler ReturnIfEqual(uint value, uint action) => Add(Equal, 0, 1, value).Return(action);

    public BpfAssembler ReturnUnlessEqual(uint value, uint action) => Add(Equal, 1, 0, value).Return(action);

    public BpfAssembler ReturnIfAtLeast(uint value, uint action) => Add(AtLeast, 0, 1, value).Return(action);

    public BpfAssembler ReturnIfAnyBit(uint mask, uint action) => Add(AnyBit, 0, 1, mask).Return(action);

    /// <summary>A part for one call, which is jumped over for others; it has to end with an action, because it loads something else than the number.</summary>
    public BpfAssembler When(uint number, Action<BpfAssembler> part)
    {
        var inner = new BpfAssembler();
        part(inner);
        Add(Equal, 0, checked((byte)inner._program.Count), number);
        _program.AddRange(inner._program);
        return this;
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[8 * _program.Count];
        foreach (var (i, (code, then, otherwise, constant)) in _program.Index())
        {
            var at = bytes.AsSpan(8 * i, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(at, code);
            (at[2], at[3]) = (then, otherwise);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], constant);
        }

        return bytes;
    }

    private BpfAssembler Add(ushort code, byte then, byte otherwise, uint constant)
    {
        _program.Add((code, then, otherwise, constant));
        return this;
    }
}
