using Lateral.Diffusion.Parity;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// Every case of the reference results, as <c>lateral parity</c> runs it: of the copy beside this file always, and of the shared folder where it is, so that a case is a test as soon as it lies there.
/// </summary>
public class ParityTests
{
    public static TheoryData<string> Copied => new(Titles(Fixture.Root));

    public static TheoryData<string> Shared => new(SharedFolder.Root is null ? [] : Titles(SharedFolder.Path("fixtures")));

    [Theory]
    [MemberData(nameof(Copied))]
    public void Case_must_equal_the_reference(string title) => Check(Fixture.Root, title);

    [SharedTheory]
    [MemberData(nameof(Shared))]
    public void Shared_case_must_equal_the_reference(string title) => Check(SharedFolder.Path("fixtures"), title);

    /// <summary>A case that is no longer found would not be missed otherwise.</summary>
    [Theory]
    [InlineData("dream-tiny", 15)]
    [InlineData("llada-moe-tiny", 2)]
    [InlineData("llada-tiny", 29)]
    [InlineData("llada2-tiny", 2)]
    [InlineData("llada21-tiny", 2)]
    [InlineData("mdlm-tiny", 1)]
    [InlineData("policies", 1)]
    [InlineData("sdar-tiny", 8)]
    [InlineData("tokenizer", 2)]
    public void Copy_must_have_the_cases_that_it_had(string folder, int count) =>
        Assert.Equal(count, ParitySuite.Cases(Fixture.Root).Count(one => one.Title.StartsWith($"{folder}/", StringComparison.Ordinal)));

    private static void Check(string root, string title)
    {
        var results = ParitySuite.Cases(root).Single(one => one.Title == title).Run();
        Assert.All(results, result => Assert.False(result.Failed, $"{result.Case}: {result.Detail} ({result.Error:g3})"));
        // The full vocabulary of these texts is published apart.
        if (title != "tokenizer/qwen-full-cases") Assert.Contains(results, result => result.Passed);
    }

    private static string[] Titles(string root) => [.. ParitySuite.Cases(root).Select(one => one.Title)];
}
