using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Lateral.Core.Learning;

namespace Lateral.Node.Gradients;

/// <summary>
/// What a rank sends of one shard: <c>PUT /v1/gradient?epoch=2&amp;step=18&amp;update=0&amp;shard=3</c> with a body of, little-endian, tokens of a
/// micro-batch (int32), scored units n (int32), numbers P (int64), n x 29 bytes, P x float32, and the SHA-256 of all that.
/// </summary>
internal static class GradientFormat
{
    public const string Path = "/v1/gradient";

    /// <summary>Scored units of one shard that a learner takes: more than any micro-batch plan gives.</summary>
    public const int MostScored = 1 << 24;

    private const int Head = 16, Unit = 29, Hash = 32, Chunk = 1 << 18;

    public static long Bytes(long numbers, int scored) => Head + ((long)scored * Unit) + (numbers * sizeof(float)) + Hash;

    public static Uri Address(Uri server, GradientKey update, int shard) =>
        new(server, string.Create(CultureInfo.InvariantCulture, $"{Path}?epoch={update.Epoch}&step={update.Step}&update={update.Update}&shard={shard}"));

    public static async Task WriteAsync(Stream body, ReadOnlyMemory<float> gradient, ShardReport report, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer, report.Tokens);
            BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(4), report.Scored.Length);
            BinaryPrimitives.WriteInt64LittleEndian(buffer.AsSpan(8), gradient.Length);
            await SendAsync(Head);
            foreach (var units in report.Scored.Chunk(Chunk / Unit))
            {
                for (var i = 0; i < units.Length; i++) Write(units[i], buffer.AsSpan(i * Unit));
                await SendAsync(units.Length * Unit);
            }

            for (var at = 0; at < gradient.Length; at += Chunk / sizeof(float))
            {
                var bytes = MemoryMarshal.AsBytes(gradient.Span.Slice(at, Math.Min(Chunk / sizeof(float), gradient.Length - at)));
                bytes.CopyTo(buffer);
                await SendAsync(bytes.Length);
            }

            await body.WriteAsync(hash.GetHashAndReset(), cancellation);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        ValueTask SendAsync(int count)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            return body.WriteAsync(buffer.AsMemory(0, count), cancellation);
        }
    }

    /// <param name="gradient">[P] takes the numbers</param>
    /// <exception cref="InvalidDataException">it is not such a body, is of another model, or was damaged on the way</exception>
    /// <exception cref="EndOfStreamException">it ended too soon</exception>
    public static async Task<ShardReport> ReadAsync(Stream body, Memory<float> gradient, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            await FillAsync(Head);
            var (tokens, count, numbers) = (BinaryPrimitives.ReadInt32LittleEndian(buffer), BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4)), BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(8)));
            if (numbers != gradient.Length) throw new InvalidDataException($"a gradient of {numbers:N0} numbers is not one of this model, which has {gradient.Length:N0}: start every node with the same files");
            if (count is < 0 or > MostScored || tokens <= 0) throw new InvalidDataException($"{count:N0} scored units in micro-batches of {tokens:N0} are no shard's");
            var scored = ImmutableArray.CreateBuilder<ScoredUnit>(Math.Min(count, Chunk));
            while (scored.Count < count)
            {
                var some = Math.Min(count - scored.Count, Chunk / Unit);
                await FillAsync(some * Unit);
                for (var i = 0; i < some; i++) scored.Add(ReadUnit(buffer.AsSpan(i * Unit)));
            }

            for (var at = 0; at < gradient.Length; at += Chunk / sizeof(float))
            {
                var part = gradient.Slice(at, Math.Min(Chunk / sizeof(float), gradient.Length - at));
                await FillAsync(part.Length * sizeof(float));
                buffer.AsSpan(0, part.Length * sizeof(float)).CopyTo(MemoryMarshal.AsBytes(part.Span));
            }

            await body.ReadExactlyAsync(buffer.AsMemory(0, Hash), cancellation);
            if (!buffer.AsSpan(0, Hash).SequenceEqual(hash.GetHashAndReset())) throw new InvalidDataException("the gradient was damaged on the way");
            return new ShardReport(tokens, scored.ToImmutable());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        async Task FillAsync(int count)
        {
            await body.ReadExactlyAsync(buffer.AsMemory(0, count), cancellation);
            hash.AppendData(buffer.AsSpan(0, count));
        }
    }

    private static void Write(ScoredUnit unit, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, unit.Rollout);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[4..], unit.LogRatio);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[12..], unit.Weight);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[20..], unit.Loss);
        bytes[28] = (byte)((unit.Clipped ? 1 : 0) | (unit.Good ? 2 : 0));
    }

    private static ScoredUnit ReadUnit(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadDoubleLittleEndian(bytes[4..]), BinaryPrimitives.ReadDoubleLittleEndian(bytes[12..]),
        (bytes[28] & 1) != 0, BinaryPrimitives.ReadDoubleLittleEndian(bytes[20..]))
    { Good = (bytes[28] & 2) != 0 };
}
