using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Lateral.Core.Policies;

namespace Lateral.Node.PolicySync;

/// <summary>A download broke off, or brought something else than was asked for; asking again may help.</summary>
internal sealed class TornDownloadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// One attempt at one payload: adds to its part what is missing and proves the whole. Invariant: it returns only when the part
/// is on the disk and its SHA-256 is the manifest's; a part that is proved wrong is emptied, any other is kept.
/// </summary>
internal sealed class PolicyDownload(HttpClient http, Uri server, PolicyToken? token, TimeSpan stall)
{
    private const int Chunk = 1 << 18;

    /// <summary>Bytes of payload that came over the network in this attempt.</summary>
    public long Received { get; private set; }

    /// <exception cref="TornDownloadException">worth another attempt</exception>
    /// <exception cref="PolicyUnavailableException">another attempt would end alike</exception>
    public async Task RunAsync(PolicyManifest policy, FileStream part, CancellationToken deadline)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (part.Length > policy.Bytes) part.SetLength(0);
        await ReadAsync(part, hash, deadline);
        if (part.Length < policy.Bytes) await FetchAsync(policy, part, hash, deadline);
        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (actual != policy.Hash)
        {
            part.SetLength(0);
            throw new TornDownloadException($"what came has SHA-256 {actual} and not {policy.Hash}: it was damaged on the way or on a disk");
        }

        part.Flush(flushToDisk: true);
    }

    private async Task FetchAsync(PolicyManifest policy, FileStream part, IncrementalHash hash, CancellationToken deadline)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(deadline);
        silence.CancelAfter(stall);
        try
        {
            using var request = Request(policy, part.Length);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            await RequireAsync(policy, response, silence.Token);
            if (response.StatusCode == HttpStatusCode.OK && part.Length > 0)
            {
                // The server has a reason to send all of it, so what is here belongs to something else.
                part.SetLength(0);
                _ = hash.GetHashAndReset();
            }

            RequireLength(policy, response, part.Length);
            await using var body = await response.Content.ReadAsStreamAsync(silence.Token);
            await CopyAsync(policy, body, part, hash, silence);
        }
        catch (OperationCanceledException error) when (!deadline.IsCancellationRequested)
        {
            throw new TornDownloadException($"not a byte came for {stall.TotalSeconds:0.#} s", error);
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new PolicyUnavailableException($"policy v{policy.Version}: no TLS with {server}: {error.GetBaseException().Message} - both nodes need certificates of one authority: lateral certs issue", error);
        }
        catch (HttpRequestException error)
        {
            throw new TornDownloadException(error.GetBaseException().Message, error);
        }
        catch (IOException error) when (error is HttpIOException || error.InnerException is System.Net.Sockets.SocketException)
        {
            throw new TornDownloadException($"the connection broke: {error.GetBaseException().Message}", error);
        }
    }

    private HttpRequestMessage Request(PolicyManifest policy, long have)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, PolicyProtocol.Address(server, policy));
        var tag = new EntityTagHeaderValue($"\"{policy.Hash}\"");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Text);
        request.Headers.IfMatch.Add(tag);
        if (have == 0) return request;
        request.Headers.Range = new RangeHeaderValue(have, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        return request;
    }

    private async Task RequireAsync(PolicyManifest policy, HttpResponseMessage response, CancellationToken cancellation)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.PartialContent when response.Headers.ETag?.Tag == $"\"{policy.Hash}\"":
                return;
            case HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.PreconditionFailed:
                throw new TornDownloadException($"the server holds another v{policy.Version} than {policy.Hash}: it was not published in this epoch, or is being replaced");
            case HttpStatusCode.Unauthorized:
                throw new PolicyUnavailableException($"policy v{policy.Version}: {server} refuses this node's token - the file of policies.token-file has to hold the same token here and on the learner's node");
            case HttpStatusCode.NotFound:
                throw new PolicyUnavailableException($"policy v{policy.Version}: {server} says: {await TextAsync(response, cancellation)} - ask for a newer policy; staleness.max-versions says how many older ones are kept");
            default:
                throw new TornDownloadException($"the server answered {(int)response.StatusCode}: {await TextAsync(response, cancellation)}");
        }
    }

    private static void RequireLength(PolicyManifest policy, HttpResponseMessage response, long have)
    {
        var (range, length) = (response.Content.Headers.ContentRange, response.Content.Headers.ContentLength);
        if (response.StatusCode == HttpStatusCode.PartialContent && (range?.From != have || range.Length != policy.Bytes))
            throw new TornDownloadException($"the server sends {range} and bytes {have} to {policy.Bytes} were asked for");
        if (length != policy.Bytes - have) throw new TornDownloadException($"the server sends {length} bytes and {policy.Bytes - have} are missing");
    }

    private async Task CopyAsync(PolicyManifest policy, Stream body, FileStream part, IncrementalHash hash, CancellationTokenSource silence)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            part.Position = part.Length;
            for (var ended = false; !ended;)
            {
                var filled = 0;
                try
                {
                    // TLS hands over 16 KiB at a time: fewer and larger writes are cheaper.
                    while (filled < Chunk && !ended)
                    {
                        var count = await body.ReadAsync(buffer.AsMemory(filled, Chunk - filled), silence.Token);
                        silence.CancelAfter(stall);
                        (filled, ended) = (filled + count, count == 0);
                    }
                }
                finally
                {
                    // What came before a tear need not come again.
                    await KeepAsync(policy, buffer.AsMemory(0, filled), part, hash);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (part.Length != policy.Bytes) throw new TornDownloadException($"the connection ended after {part.Length} of {policy.Bytes} bytes");
    }

    private async Task KeepAsync(PolicyManifest policy, ReadOnlyMemory<byte> bytes, FileStream part, IncrementalHash hash)
    {
        Received += bytes.Length;
        if (part.Length + bytes.Length > policy.Bytes) throw new TornDownloadException($"more than the announced {policy.Bytes} bytes came");
        hash.AppendData(bytes.Span);
        await part.WriteAsync(bytes, CancellationToken.None);
    }

    private static async Task ReadAsync(FileStream part, IncrementalHash hash, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            part.Position = 0;
            while (await part.ReadAsync(buffer.AsMemory(0, Chunk), cancellation) is > 0 and var count) hash.AppendData(buffer.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The first words of a refusal, on one line: they come from another machine and go into a message.</summary>
    private static async Task<string> TextAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var reader = new StreamReader(body);
        var text = new char[200];
        var count = await reader.ReadBlockAsync(text, cancellation);
        return count == 0 ? response.ReasonPhrase ?? "" : string.Concat(text[..count].Select(letter => char.IsControl(letter) ? ' ' : letter));
    }
}
