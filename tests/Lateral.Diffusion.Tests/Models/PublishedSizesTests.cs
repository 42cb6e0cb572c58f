using System.Globalization;
using System.Text.RegularExpressions;
using Lateral.Diffusion.Models;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// The settings of published checkpoints, and the names and shapes that follow from them, without any weights. Published/NAME.json has the keys and values that published configurations have (of Dream and LLaDA-MoE those of
/// the papers and their code, of MDLM its code's); SDAR-8B's names and their 16,381,470,720 bytes are those of its published index. NAME.txt says what changes.
/// </summary>
public partial class PublishedSizesTests
{
    [Theory]
    [InlineData("llada-8b", 8.016)]
    [InlineData("dream-7b", 7.616)]
    [InlineData("sdar-4b", 4.411)]
    [InlineData("sdar-8b", 8.191)]
    [InlineData("llada-moe-7b", 7.356)]
    [InlineData("llada2-mini", 16.256)]
    [InlineData("mdlm-owt", 0.170)]
    public void Names_and_shapes_must_be_those_of_the_published_checkpoint(string name, double billions)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Models", "Published");
        var spec = ModelFamilies.Parse(File.ReadAllText(Path.Combine(folder, $"{name}.json")), maskToken: () => 156895);
        Assert.Equal(billions, ModelStore.ParameterCount(spec) / 1e9, 0.001);
        // One line for all layers and experts that have a tensor of that name and shape.
        var lines = ModelLayout.Of(spec).Select(layout => (Name: Numbers().Replace(layout.Name, ".#."), Shape: string.Join(", ", layout.Shape)))
            .GroupBy(line => line).Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} x {group.Key.Name} [{group.Key.Shape}]"));
        var found = string.Join('\n', lines) + "\n";
        var approved = Path.Combine(folder, $"{name}.txt");
        Assert.True(File.Exists(approved), $"Published/{name}.txt is not there; it would be:\n{found}");
        Assert.Equal(File.ReadAllText(approved), found);
    }

    [GeneratedRegex(@"\.\d+\.")]
    private static partial Regex Numbers();
}
