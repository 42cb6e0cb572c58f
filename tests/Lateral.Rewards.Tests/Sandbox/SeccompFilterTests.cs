using System.Buffers.Binary;
using Lateral.Rewards.Sandbox.Filter;

namespace Lateral.Rewards.Tests.Sandbox;

/// <summary>The filter's program under an interpreter of the kernel's instructions: what it answers to every call there is.</summary>
public sealed class SeccompFilterTests
{
    private static readonly uint[] ByArguments = [SystemCalls.Exit, SystemCalls.Kill, SystemCalls.Ioctl, SystemCalls.Clone, SystemCalls.Fcntl, SystemCalls.Prctl, SystemCalls.Tkill, SystemCalls.ExitGroup, SystemCalls.Tgkill, SystemCalls.Prlimit64, SystemCalls.Clone3];

    [Fact]
    public void Every_call_that_is_not_listed_must_be_refused()
    {
        var allowed = SystemCalls.Allowed.Select(call => call.Number).ToHashSet();
        for (uint number = 0; number < 600; number++)
        {
            if (!ByArguments.Contains(number)) Assert.Equal((number, allowed.Contains(number) ? SeccompFilter.Allow : SeccompFilter.Refuse), (number, Run(number)));
        }
    }

    [Theory]
    [InlineData("socket", 41)]
    [InlineData("connect", 42)]
    [InlineData("socketpair", 53)]
    [InlineData("ptrace", 101)]
    [InlineData("setrlimit", 160)]
    [InlineData("chroot", 161)]
    [InlineData("mount", 165)]
    [InlineData("add_key", 248)]
    [InlineData("keyctl", 250)]
    [InlineData("unshare", 272)]
    [InlineData("setns", 308)]
    [InlineData("memfd_create", 319)]
    [InlineData("bpf", 321)]
    [InlineData("userfaultfd", 323)]
    [InlineData("io_uring_setup", 425)]
    [InlineData("pidfd_send_signal", 424)]
    public void List_must_not_have(string name, int number)
    {
        Assert.DoesNotContain(SystemCalls.Allowed, call => call.Name == name || call.Number == number);
        Assert.Equal(SeccompFilter.Refuse, Run((uint)number));
    }

    [Fact]
    public void List_must_have_no_call_twice() => Assert.Equal(SystemCalls.Allowed.Count, SystemCalls.Allowed.DistinctBy(call => call.Number).DistinctBy(call => call.Name).Count());

    [Fact]
    public void Other_architectures_and_the_x32_abi_must_end_the_process()
    {
        Assert.Equal(SeccompFilter.Kill, Run(0, architecture: 0x40000003));
        Assert.Equal(SeccompFilter.Kill, Run(0, architecture: 0xc00000b7));
        Assert.Equal(SeccompFilter.Kill, Run(0x40000000));
        Assert.Equal(SeccompFilter.Kill, Run(0xffffffff));
    }

    [Theory]
    [InlineData(56u, new ulong[] { 17 }, SeccompFilter.Allow)]
    [InlineData(56u, new ulong[] { 0x3d0f00 }, SeccompFilter.Allow)]
    [InlineData(56u, new ulong[] { 0x10000000 | 17 }, SeccompFilter.Refuse)]
    [InlineData(56u, new ulong[] { 0x20000 | 17 }, SeccompFilter.Refuse)]
    [InlineData(56u, new ulong[] { 0x40000000 | 17 }, SeccompFilter.Refuse)]
    [InlineData(56u, new ulong[] { 0x02000000 | 17 }, SeccompFilter.Refuse)]
    [InlineData(435u, new ulong[] { 0 }, SeccompFilter.NotThere)]
    [InlineData(62u, new ulong[] { 5, 9 }, SeccompFilter.Refuse)]
    [InlineData(62u, new ulong[] { 9, 15 }, SeccompFilter.Allow)]
    [InlineData(200u, new ulong[] { 5, 9 }, SeccompFilter.Refuse)]
    [InlineData(234u, new ulong[] { 5, 5, 9 }, SeccompFilter.Refuse)]
    [InlineData(234u, new ulong[] { 5, 9, 6 }, SeccompFilter.Allow)]
    [InlineData(231u, new ulong[] { 0 }, SeccompFilter.Allow)]
    [InlineData(231u, new ulong[] { 137 }, SeccompFilter.Kill)]
    [InlineData(231u, new ulong[] { 256 + 137 }, SeccompFilter.Kill)]
    [InlineData(60u, new ulong[] { 137 }, SeccompFilter.Kill)]
    [InlineData(16u, new ulong[] { 0, 0x5401 }, SeccompFilter.Allow)]
    [InlineData(16u, new ulong[] { 0, 0x5412 }, SeccompFilter.Refuse)]
    [InlineData(72u, new ulong[] { 0, 10, 9 }, SeccompFilter.Refuse)]
    [InlineData(72u, new ulong[] { 0, 1 }, SeccompFilter.Allow)]
    [InlineData(157u, new ulong[] { 15 }, SeccompFilter.Allow)]
    [InlineData(157u, new ulong[] { 1, 9 }, SeccompFilter.Refuse)]
    [InlineData(157u, new ulong[] { 22, 2 }, SeccompFilter.Refuse)]
    [InlineData(302u, new ulong[] { 0, 7, 0 }, SeccompFilter.Allow)]
    [InlineData(302u, new ulong[] { 0, 0, 0x7fff00000000 }, SeccompFilter.Refuse)]
    [InlineData(302u, new ulong[] { 0, 0, 0x1000 }, SeccompFilter.Refuse)]
    [InlineData(302u, new ulong[] { 0, 6, 0x1000 }, SeccompFilter.Allow)]
    public void Calls_must_be_answered_by_their_arguments(uint number, ulong[] arguments, uint answer) => Assert.Equal(answer, Run(number, arguments: arguments));

    private static uint Run(uint number, uint architecture = SeccompFilter.X64, params ReadOnlySpan<ulong> arguments)
    {
        var data = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), architecture);
        for (var i = 0; i < arguments.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), arguments[i]);
        var (accumulator, program) = (0u, SeccompFilter.Program);
        for (var at = 0; ; at++)
        {
            var line = program.AsSpan(8 * at, 8);
            var (code, then, otherwise, constant) = (BinaryPrimitives.ReadUInt16LittleEndian(line), line[2], line[3], BinaryPrimitives.ReadUInt32LittleEndian(line[4..]));
            switch (code)
            {
                case 0x20: accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)constant)); break;
                case 0x54: accumulator &= constant; break;
                case 0x15: at += accumulator == constant ? then : otherwise; break;
                case 0x35: at += accumulator >= constant ? then : otherwise; break;
                case 0x45: at += (accumulator & constant) != 0 ? then : otherwise; break;
                case 0x06: return constant;
                default: throw new InvalidOperationException($"instruction {code:x}");
            }
        }
    }
}
