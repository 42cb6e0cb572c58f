using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Lateral.Rewards.Judging;

/// <summary>An endpoint's answer as bytes, or the attempt that ended without one.</summary>
internal readonly record struct Received(byte[]? Body, HttpStatusCode? Status, JudgeAttempt? Failure);

/// <summary>
/// Sends one request and says what came of it; trying again is another's business. Redirects are not followed (they would carry the key to another server),
/// cookies are not kept, and no more than <see cref="MaxBody"/> bytes are read.
/// </summary>
internal sealed class JudgeClient : IDisposable
{
    /// <summary>Far more than any verdict takes.</summary>
    public const int MaxBody = 1 << 20;

    private readonly JudgeSettings _settings;
    private readonly HttpClient _http;

    public JudgeClient(JudgeSettings settings)
    {
        _settings = settings;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = settings.Proxy is not null,
            Proxy = settings.Proxy is { } proxy ? new WebProxy(proxy) : null,
            // So that a moved endpoint's new address is seen.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            // Each attempt has its own deadline.
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxBody,
        };
    }

    /// <summary>The endpoint for messages: without what a query may hold.</summary>
    public string Endpoint => _settings.Url.GetLeftPart(UriPartial.Path);

    public void Dispose() => _http.Dispose();

    public Task<Received> AskAsync(string body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, "chat/completions", new StringContent(body, Encoding.UTF8, "application/json"), cancellation);

    /// <summary>The models that the endpoint says it has.</summary>
    public Task<Received> ModelsAsync(CancellationToken cancellation) => SendAsync(HttpMethod.Get, "models", null, cancellation);

    private async Task<Received> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, Below(path)) { Content = content };
        request.Headers.Authorization = _settings.Key?.Header;
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? new Received(body, response.StatusCode, null) : new Received(null, response.StatusCode, Failed(response, path, Hide(Snippet.Of(body))));
        }
        catch (HttpRequestException error)
        {
            return new Received(null, null, Broken(error));
        }
    }

    private Uri Below(string path) => new UriBuilder(_settings.Url) { Path = $"{_settings.Url.AbsolutePath.TrimEnd('/')}/{path}" }.Uri;

    private string Hide(string text) => _settings.Key?.Hide(text) ?? text;

    private JudgeAttempt Failed(HttpResponseMessage response, string path, string said)
    {
        var status = (int)response.StatusCode;
        return response.StatusCode switch
        {
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or (HttpStatusCode)425 or >= HttpStatusCode.InternalServerError => Later(response, $"{Endpoint} answered {status}: {said}"),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => JudgeAttempt.Refused(
                $"{Endpoint} answered {status}: {said} - {(_settings.Key is null ? "it wants a key: write api-key = ${?NAME} and set NAME in the environment" : $"the key may not use model {_settings.Model}: look at the variable that api-key is read from")}"),
            HttpStatusCode.NotFound => JudgeAttempt.Refused($"{Endpoint}/{path} answered 404: {said} - url is what /chat/completions stands below (it mostly ends in /v1), model = {_settings.Model} is a name that the endpoint knows"),
            >= HttpStatusCode.BadRequest => JudgeAttempt.Refused(
                $"{Endpoint} refuses the request with {status}: {said} - where it does not know response_format write structured = off, where it refuses another field take that away with request, for example request = \"\"\"{{\"seed\": null}}\"\"\""),
            _ => JudgeAttempt.Refused($"{Endpoint} answered {status}{(response.Headers.Location is { } there ? $" and points to {Hide(Where(there))}" : "")}: redirects are not followed, because the key would go with them - write the address itself as url"),
        };
    }

    private static string Where(Uri there) => there.IsAbsoluteUri ? there.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : there.OriginalString;

    private JudgeAttempt Later(HttpResponseMessage response, string fault)
    {
        var after = response.Headers.RetryAfter;
        var wait = after?.Delta ?? (after?.Date is { } date ? date - (response.Headers.Date ?? TimeProvider.System.GetUtcNow()) : null);
        return wait > _settings.LongestWait
            ? JudgeAttempt.Refused(FormattableString.Invariant($"{fault} - it asks to wait {wait.Value.TotalSeconds:0} s, which is more than longest-wait-seconds = {_settings.LongestWait.TotalSeconds}"))
            : JudgeAttempt.Retry(fault, wait > TimeSpan.Zero ? wait : null);
    }

    private JudgeAttempt Broken(HttpRequestException error)
    {
        var cause = error.GetBaseException().Message;
        return error.HttpRequestError switch
        {
            HttpRequestError.ConfigurationLimitExceeded => JudgeAttempt.Retry($"{Endpoint} sends more than {MaxBody / 1024} KiB for one verdict"),
            HttpRequestError.SecureConnectionError => JudgeAttempt.Refused($"no TLS with {Endpoint}: {cause} - its certificate has to be one that this machine trusts"),
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError => JudgeAttempt.Retry($"{Endpoint} cannot be reached: {cause}"),
            _ => JudgeAttempt.Retry($"the connection to {Endpoint} broke: {cause}"),
        };
    }
}
