using System.Buffers;
using System.Globalization;
using Lateral.Core.Learning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Lateral.Node.Gradients;

/// <summary>
/// The learner's end of the ranks' gradients: 204 where one was taken, 409 where nobody waits for it any more, else a refusal whose
/// text says what to do. The asker was let in before.
/// </summary>
/// <param name="atOnce">gradients read at once: each takes its size in memory</param>
internal sealed class GradientRequests(SharedGradients gradients, int atOnce)
{
    private readonly SemaphoreSlim _slots = new(atOnce);

    public async Task AnswerAsync(HttpContext context, CancellationToken deadline)
    {
        var request = context.Request;
        if (!HttpMethods.IsPut(request.Method))
        {
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, $"there is only PUT {GradientFormat.Path}");
            return;
        }

        if (Parse(request.Query) is not var (key, shard))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "epoch, step, update and shard are numbers");
            return;
        }

        if (gradients.Current is not { } round || round.Update.Key != key)
        {
            await RefuseAsync(context, StatusCodes.Status409Conflict, $"nobody waits for shard {shard} of step {key.Step}");
            return;
        }

        if (request.ContentLength is not { } length || length > GradientFormat.Bytes(round.Update.Length, GradientFormat.MostScored))
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "a gradient has a length, and not more than the model's");
            return;
        }

        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = length;
        await _slots.WaitAsync(deadline);
        try
        {
            await TakeAsync(context, round, shard, deadline);
        }
        finally
        {
            _slots.Release();
        }
    }

    private static async Task TakeAsync(HttpContext context, GradientRound round, int shard, CancellationToken deadline)
    {
        var gradient = ArrayPool<float>.Shared.Rent(round.Update.Length);
        try
        {
            var numbers = gradient.AsMemory(0, round.Update.Length);
            var report = await GradientFormat.ReadAsync(context.Request.Body, numbers, deadline);
            if (round.TryContribute(shard, numbers.Span, report)) context.Response.StatusCode = StatusCodes.Status204NoContent;
            else await RefuseAsync(context, StatusCodes.Status409Conflict, $"shard {shard} of step {round.Update.Batch.Step} is there already");
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or ArgumentException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, error.Message);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(gradient);
        }
    }

    private static (GradientKey Key, int Shard)? Parse(IQueryCollection query)
    {
        return Number("epoch") is { } epoch && Number("step") is { } step && Number("update") is { } update && Number("shard") is { } shard ? (new(epoch, step, update), shard) : null;

        int? Number(string name) =>
            query[name] is [var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why, context.RequestAborted);
    }
}
