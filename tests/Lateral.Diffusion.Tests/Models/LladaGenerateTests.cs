using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// The model inside the reference sampling loop (greedy, semi-autoregressive blocks) must see, call by call, the very ids that the
/// reference model saw: one wrong token anywhere would show.
/// </summary>
public class LladaGenerateTests
{
    [Theory]
    [InlineData("gen-full-32x32", 32)]
    [InlineData("gen-semi-ar-32-b8-s32", 32)]
    [InlineData("gen-semi-ar-32-b8-s16", 16)]
    [InlineData("gen-uneven-30-b10-s12", 12)]
    [InlineData("gen-leftpad-batch3-b8-s16", 12)]
    public void Greedy_trajectory_must_equal_the_reference_call_by_call(string name, int calls)
    {
        var fixture = LladaFixture.Json(name);
        var settings = fixture.GetProperty("case");
        Compare(fixture, calls, settings.GetProperty("gen_length").GetInt32(), settings.GetProperty("steps").GetInt32(), settings.GetProperty("block_length").GetInt32(), null);
    }

    [Fact]
    public void Random_remasking_must_equal_the_reference_call_by_call()
    {
        var fixture = LladaFixture.Json("gen-random-remask");
        using var uniforms = LladaFixture.Tensors("gen-random-remask");
        Compare(fixture, 8, 16, 8, 8, step => uniforms.Read($"confidence_uniform.{step}"));
    }

    private static void Compare(System.Text.Json.JsonElement fixture, int calls, int genLength, int steps, int blockLength, Func<int, Tensor>? confidence)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = LladaFixture.Load();
        var attend = fixture.TryGetProperty("attention_mask", out var mask) && mask.ValueKind == System.Text.Json.JsonValueKind.Array ? fixture.Rows("attention_mask") : null;
        var seen = new List<long[][]>();
        var output = Generate(model, fixture.Rows("prompt"), attend, genLength, steps, blockLength, confidence, seen);

        var expected = fixture.GetProperty("model_inputs_per_call").EnumerateArray()
            .Select(call => call.EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray()).ToArray()).ToList();
        Assert.Equal(calls, expected.Count);
        Assert.Equal(expected, seen);
        Assert.Equal(fixture.Rows("output"), output);
    }

    private static long[][] Generate(
        TransformerModel model, long[][] prompts, long[][]? attend, int genLength, int steps, int blockLength, Func<int, Tensor>? confidenceOfStep, List<long[][]> seen)
    {
        var (batch, prompt, maskToken) = (prompts.Length, prompts[0].Length, model.Spec.MaskToken);
        var x = prompts.Select(row => row.Concat(Enumerable.Repeat((long)maskToken, genLength)).ToArray()).ToArray();
        var attendAll = attend?.Select(row => row.Concat(Enumerable.Repeat(1L, genLength)).ToArray()).ToArray().ToTensor();
        var (blocks, call) = (genLength / blockLength, 0);
        var stepsPerBlock = steps / blocks;
        for (var block = 0; block < blocks; block++)
        {
            var (begin, end) = (prompt + (block * blockLength), prompt + ((block + 1) * blockLength));
            var masked = x.Select(row => row[begin..end].Count(id => id == maskToken)).ToArray();
            for (var step = 0; step < stepsPerBlock; step++, call++)
            {
                seen.Add([.. x.Select(row => (long[])row.Clone())]);
                var logits = model.Logits(model.Hidden(x.ToTensor(), attendAll).view(-1, model.Spec.Width)).view(batch, prompt + genLength, -1);
                var tokens = logits.argmax(-1);
                var confidence = confidenceOfStep?.Invoke(call) ?? logits.softmax(-1).max(-1).values;
                for (var row = 0; row < batch; row++)
                {
                    var quota = (masked[row] / stepsPerBlock) + (step < masked[row] % stepsPerBlock ? 1 : 0);
                    var chosen = Enumerable.Range(begin, end - begin).Where(i => x[row][i] == maskToken)
                        .OrderByDescending(i => confidence[row, i].item<float>()).Take(quota).ToList();
                    foreach (var i in chosen) x[row][i] = tokens[row, i].item<long>();
                }
            }
        }

        return x;
    }
}
