using System.Net;
using System.Net.Http.Headers;
using Lateral.Core.Learning;
using Lateral.Core.Security;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Gradients;

/// <summary>Takes a rank's gradients to the learner's node, with the identity and on the way that policies come from there.</summary>
public sealed class HttpGradientSink : IGradientSink, IDisposable
{
    private const int Attempts = 4;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private readonly Uri _server;
    private readonly PolicyToken? _token;
    private readonly HttpClient _http;

    /// <param name="identity">null = plain HTTP, to a loopback address only; owned by the caller</param>
    /// <exception cref="UserException">the token would travel unencrypted</exception>
    public HttpGradientSink(Uri server, PolicyToken? token, NodeIdentity? identity) => (_server, _token, _http) = (server, token, DataPlane.Client(server, identity));

    /// <remarks>A connection that breaks is tried again with the same bytes: the first of two counts.</remarks>
    public async Task<bool> SendAsync(GradientKey update, int shard, ReadOnlyMemory<float> gradient, ShardReport report, CancellationToken cancellation)
    {
        for (var (attempt, pause) = (1, FirstPause); ; attempt++, pause *= 3)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Put, GradientFormat.Address(_server, update, shard)) { Content = new Body(gradient, report) };
                // A refusal comes before gigabytes are sent, and is not lost in a connection that breaks under them.
                request.Headers.ExpectContinue = true;
                if (_token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token.Text);
                using var response = await _http.SendAsync(request, cancellation);
                return response.StatusCode switch
                {
                    HttpStatusCode.NoContent => true,
                    HttpStatusCode.Conflict => false,
                    _ => throw new IOException($"{_server} does not take shard {shard} of step {update.Step}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellation)}"),
                };
            }
            catch (HttpRequestException error) when (attempt == Attempts)
            {
                throw new IOException($"shard {shard} of step {update.Step} did not reach the learner's node at {_server}: {error.GetBaseException().Message}", error);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(pause, cancellation);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private sealed class Body : HttpContent
    {
        private readonly ReadOnlyMemory<float> _gradient;
        private readonly ShardReport _report;

        public Body(ReadOnlyMemory<float> gradient, ShardReport report)
        {
            (_gradient, _report) = (gradient, report);
            Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => GradientFormat.WriteAsync(stream, _gradient, _report, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            GradientFormat.WriteAsync(stream, _gradient, _report, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = GradientFormat.Bytes(_gradient.Length, _report.Scored.Length);
            return true;
        }
    }
}
