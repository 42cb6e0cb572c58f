using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Lateral.Node.PolicySync;

/// <summary>
/// What the server answers: 200 or 206 with the payload, 412 where the version has another content than the asker was told of,
/// else a refusal whose text says what to do. Who may not ask learns nothing but that.
/// </summary>
internal sealed class PolicyRequests(PublishedPolicies policies, PolicyServerSettings settings, CancellationToken stopping)
{
    private readonly SemaphoreSlim _slots = new(settings.Downloads);

    public async Task AnswerAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        deadline.CancelAfter(settings.Deadline);
        context.RequestAborted = deadline.Token;
        int? version = null;
        try
        {
            version = await AnswerAsync(context, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            context.Abort();
        }
        finally
        {
            // An asker that left with its last byte is answered all the same.
            var (status, length) = (context.Response.StatusCode, context.Response.StatusCode is 200 or 206 ? context.Response.ContentLength ?? 0 : 0);
            settings.Answered?.Invoke(new PolicyAnswered(version, status, length, Stopwatch.GetElapsedTime(started)));
        }
    }

    private async Task<int?> AnswerAsync(HttpContext context, CancellationToken deadline)
    {
        var request = context.Request;
        if (settings.Token is { } token && !token.Matches(request.Headers.Authorization))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "the token is missing or another run's");
            return null;
        }

        if (settings.Beside is { } beside && request.Path == beside.Path)
        {
            await beside.AnswerAsync(context, deadline);
            return null;
        }

        if (request.Path != PolicyProtocol.Path || !HttpMethods.IsGet(request.Method))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, $"there is only GET {PolicyProtocol.Path}");
            return null;
        }

        if (PolicyProtocol.Parse(Only(request.Query["version"]), Only(request.Query["kind"])) is not var (version, kind))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "version is a number and kind is full or adapter");
            return null;
        }

        if (!await _slots.WaitAsync(settings.Patience, deadline))
        {
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"{settings.Downloads} downloads are under way");
            return version;
        }

        try
        {
            if (await policies.OpenAsync(version, kind, deadline) is not { } policy)
                await RefuseAsync(context, StatusCodes.Status404NotFound, $"policy v{version} is not kept any more, or never was; {policies.Available()}");
            else
                await TypedResults.Stream(policy.Content, "application/octet-stream", entityTag: new EntityTagHeaderValue($"\"{policy.Hash}\""), enableRangeProcessing: true).ExecuteAsync(context);
        }
        finally
        {
            _slots.Release();
        }

        return version;
    }

    private static string? Only(StringValues values) => values.Count == 1 ? values[0] : null;

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why, context.RequestAborted);
    }
}
