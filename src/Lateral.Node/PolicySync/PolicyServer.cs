using System.Net;
using System.Security.Authentication;
using Lateral.Core.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lateral.Node.PolicySync;

/// <param name="Downloads">responses at once; more wait for a moment and are then told to come again</param>
/// <param name="Deadline">for one response: what is not fetched by then is fetched by another request</param>
/// <param name="Token">null = mutual TLS alone says who may ask</param>
/// <param name="Identity">null = plain HTTP, on a loopback address only; owned by the caller</param>
public sealed record PolicyServerSettings(string Host, int Port, int Downloads, TimeSpan Deadline, PolicyToken? Token, NodeIdentity? Identity)
{
    /// <summary>How long a request may wait for another download to end.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Answers under a path of its own those who may ask; null = there are only policies.</summary>
    public BesideRequests? Beside { get; init; }

    /// <summary>Told of every answer.</summary>
    public Action<PolicyAnswered>? Answered { get; init; }

    /// <summary>Takes the server's own log.</summary>
    public ILoggerProvider? Log { get; init; }
}

/// <summary>What else the learner's node serves on the same port, to the same nodes.</summary>
public sealed record BesideRequests(string Path, Func<HttpContext, CancellationToken, Task> AnswerAsync);

/// <summary>One request's end.</summary>
/// <param name="Version">null where none was asked for, or by nobody that may ask</param>
/// <param name="Length">bytes that the response was to have; 0 for a refusal</param>
public sealed record PolicyAnswered(int? Version, int Status, long Length, TimeSpan Took);

/// <summary>
/// Serves the published policies of one run to the other nodes: consumes requests for a version, produces payloads and ranges of
/// them. Waits for nothing without a deadline, and reads nothing but the run's <c>policies/</c>.
/// </summary>
public sealed class PolicyServer : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();

    private PolicyServer(WebApplication application) => _application = application;

    /// <summary>Where it listens, with the port that was free.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>What a node of the run has to show; null where its certificate is enough.</summary>
    public PolicyToken? Token { get; private set; }

    /// <exception cref="UserException">the port is taken, the host is not this machine's, or anybody could ask</exception>
    public static async Task<PolicyServer> StartAsync(PublishedPolicies policies, PolicyServerSettings settings, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Identity is null && !TlsSettings.IsLoopback(settings.Host))
            throw new UserException(ExitCode.Usage, $"policies are not served on {settings.Host} without TLS: whoever is on the way could read and change them; configure tls {{ ca, certificate, key }}, or stay on a loopback address");
        if (settings.Token is null && settings.Identity is null) throw new UserException(ExitCode.Usage, "policies are not served to everybody: configure policies.token-file or tls { ca, certificate, key }");
        var address = TlsSettings.IsLoopback(settings.Host) && !IPAddress.TryParse(settings.Host, out _) ? IPAddress.Loopback : (await Dns.GetHostAddressesAsync(settings.Host, cancellation))[0];
        var server = new PolicyServer(Build(address, settings));
        var requests = new PolicyRequests(policies, settings, server._stopping.Token);
        server._application.Run(requests.AnswerAsync);
        try
        {
            await server._application.StartAsync(cancellation);
        }
        catch (IOException error)
        {
            await server.DisposeAsync();
            var advice = error.InnerException is AddressInUseException ? "is in use; set policies.port = 0 (any free port), or stop the program that holds it" : $"cannot be listened on: {error.Message}; set topology.host to an address of this machine";
            throw new UserException(ExitCode.Environment, $"port {settings.Port} on {settings.Host} {advice}", error);
        }

        // As the others know it: the certificate is for this name, not for the address behind it.
        var bound = new Uri(server._application.Urls.Single());
        server.Address = new UriBuilder(bound.Scheme, settings.Host, bound.Port).Uri;
        server.Token = settings.Token;
        return server;
    }

    /// <summary>Breaks off what is being sent: the caches go on from there.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var farewell = new CancellationTokenSource(Farewell);
        await _application.StopAsync(farewell.Token);
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    private static WebApplication Build(IPAddress address, PolicyServerSettings settings)
    {
        // The empty builder reads no environment, no files and no arguments: all there is to configure stands here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        if (settings.Log is { } log) builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestLineSize = 1 << 10;
            kestrel.Limits.MaxRequestHeadersTotalSize = 1 << 13;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(1);
            kestrel.Limits.MaxConcurrentConnections = 4L * settings.Downloads + 16;
            kestrel.Listen(address, settings.Port, listen =>
            {
                // Whole files at the speed of the network: HTTP/2's flow control only costs.
                listen.Protocols = HttpProtocols.Http1;
                if (settings.Identity is { } identity) listen.UseHttps(Tls(identity));
            });
        });
        return builder.Build();
    }

    private static HttpsConnectionAdapterOptions Tls(NodeIdentity identity) => new()
    {
        ServerCertificate = identity.Certificate,
        ClientCertificateMode = ClientCertificateMode.RequireCertificate,
        ClientCertificateValidation = (certificate, _, _) => identity.Trust.Refusal(certificate, PeerRole.Client) is null,
        SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        HandshakeTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>The server lives as long as its owner says: signals are the process's own matter.</summary>
    private sealed class OwnedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
