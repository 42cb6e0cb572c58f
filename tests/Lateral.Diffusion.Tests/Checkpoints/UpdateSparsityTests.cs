using System.Collections.Immutable;
using Lateral.Diffusion.Checkpoints;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class UpdateSparsityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Update_below_half_a_unit_of_bfloat16_must_count_as_none_and_be_seen_in_float32()
    {
        // One unit of bfloat16's last place at 1 is 1/128: .002 is rounded away, .02 is not.
        var (before, after) = (Write("before", ("a", [1, 1, 1, 1]), ("b", [2, 2])), Write("after", ("a", [1, 1.002f, 1.02f, 1]), ("b", [2, 2])));
        var stored = UpdateSparsity.Between(before, after, "bf16", 1e-5).ToDictionary(update => update.Name);
        Assert.Equal((.75, 1.0), (stored["a"].Unchanged, stored["b"].Unchanged));
        var exact = UpdateSparsity.Between(before, after, "f32", 1e-5).ToDictionary(update => update.Name);
        Assert.Equal(.5, exact["a"].Unchanged);
        Assert.Equal(Math.Sqrt(.002 * .002 + .02 * .02) / 2, exact["a"].RelativeNorm, 1e-6);
        Assert.Equal((0.0, 2L), (exact["b"].RelativeNorm, exact["b"].Count));
    }

    [Fact]
    public void Difference_up_to_the_tolerance_must_count_as_none()
    {
        var (before, after) = (Write("before", ("a", [0, 0, 0, 0])), Write("after", ("a", [0.5e-5f, -0.5e-5f, 2e-5f, 0])));
        Assert.Equal(.75, UpdateSparsity.Between(before, after, "f32", 1e-5).Single().Unchanged);
        Assert.Equal(.25, UpdateSparsity.Between(before, after, "f32", 0).Single().Unchanged);
    }

    [Fact]
    public void Files_of_different_models_must_be_refused_by_the_tensors_name()
    {
        var (before, after) = (Write("before", ("a", [1]), ("b", [2])), Write("after", ("a", [1])));
        Assert.Contains("no tensor 'b'", Assert.Throws<SafetensorsException>(() => UpdateSparsity.Between(before, after, "f32", 0)).Message, StringComparison.Ordinal);
        Assert.Contains("shape", Assert.Throws<SafetensorsException>(() => UpdateSparsity.Between(after, Write("longer", ("a", [1, 2])), "f32", 0)).Message, StringComparison.Ordinal);
    }

    private string Write(string name, params (string Name, float[] Values)[] tensors)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder, $"{name}.safetensors");
        SafetensorsWriter.Write(path, tensors.ToDictionary(one => one.Name, one => tensor(one.Values)), ImmutableDictionary<string, string>.Empty);
        return path;
    }
}
