using System.Reflection;
using System.Xml.Linq;
using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Lateral.Architecture.Tests;

/// <summary>The rules that keep data flowing one way, held by a build instead of by advice.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, Assembly> Assemblies = new(StringComparer.Ordinal)
    {
        ["Core"] = typeof(Core.Runs.RunLedger).Assembly,
        ["Configuration"] = typeof(Configuration.Hocon).Assembly,
        ["Diffusion"] = typeof(Diffusion.Native.NativeBootstrap).Assembly,
        ["Rewards"] = typeof(Rewards.Tasks.TaskRegistry).Assembly,
        ["Actors"] = typeof(Actors.RunHost).Assembly,
        ["Node"] = typeof(Node.ExitCode).Assembly,
    };

    private static readonly ArchUnitNET.Domain.Architecture Loaded = new ArchLoader().LoadAssemblies([.. Assemblies.Values]).Build();

    private static readonly string Root = FindRoot();

    /// <summary>Which of our projects each one may reference.</summary>
    public static TheoryData<string, string> Allowed => new()
    {
        { "Core", "" },
        { "Configuration", "" },
        { "Diffusion", "Core" },
        { "Rewards", "Core" },
        { "Actors", "Configuration, Core" },
        { "Node", "Actors, Configuration, Core, Diffusion, Rewards" },
    };

    [Theory]
    [MemberData(nameof(Allowed))]
    public void Project_must_reference_only_what_the_design_allows(string project, string allowed)
    {
        var references = XDocument.Load(Path.Combine(Root, "src", $"Lateral.{project}", $"Lateral.{project}.csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))["Lateral.".Length..]);
        Assert.Equal(allowed, string.Join(", ", references.Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("TorchSharp", "Diffusion")]
    [InlineData("Microsoft.ML.Tokenizers", "Diffusion")]
    [InlineData("Akka", "Actors, Node")]
    [InlineData("Akka.Cluster", "Actors")]
    [InlineData("Akka.Persistence", "Actors")]
    [InlineData("Google.Protobuf", "Actors")]
    [InlineData("Microsoft.Data.Sqlite", "Actors")]
    [InlineData("Microsoft.AspNetCore", "Node")]
    [InlineData("Spectre.Console", "Node")]
    [InlineData("System.CommandLine", "Node")]
    [InlineData("Polly.Core", "Rewards")]
    public void Library_must_be_used_only_where_it_belongs(string library, string projects)
    {
        var users = Assemblies.Where(pair => pair.Value.GetReferencedAssemblies().Any(reference => reference.Name == library)).Select(pair => pair.Key);
        Assert.Equal(projects, string.Join(", ", users.Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("Core")]
    [InlineData("Configuration")]
    public void Foundation_must_need_nothing_but_the_base_library(string project)
    {
        var foreign = Assemblies[project].GetReferencedAssemblies().Where(reference => !reference.Name!.StartsWith("System", StringComparison.Ordinal));
        Assert.Empty(foreign.Select(reference => reference.Name));
    }

    /// <summary>Namespaces in the direction in which data flows: each may use only those to its left.</summary>
    [Theory]
    [InlineData("Lateral.Core", "Security, Policies, Prompts, Rollouts, Rewards, Learning, Runs")]
    [InlineData("Lateral.Node", "Runs, Certificates, PolicySync, Display, Evaluation, Composition, Estimation, Checkup, Sessions, Cli")]
    public void Namespace_must_use_only_those_before_it(string root, string order)
    {
        var names = order.Split(", ").Select(name => $"{root}.{name}").ToList();
        var existing = Loaded.Types.Select(type => type.Namespace.FullName).Distinct().ToList();
        Assert.All(names, name => Assert.Contains(name, existing));
        for (var i = 0; i < names.Count - 1; i++)
        {
            var later = Types().That().ResideInNamespaceMatching($"^({string.Join('|', names.Skip(i + 1)).Replace(".", "\\.", StringComparison.Ordinal)})(\\.|$)");
            Types().That().ResideInNamespaceMatching($"^{names[i].Replace(".", "\\.", StringComparison.Ordinal)}(\\.|$)").Should().NotDependOnAny(later).Check(Loaded);
        }
    }

    /// <summary>Messages between actors go both ways, control to the left; everything else is free of circles.</summary>
    [Theory]
    [InlineData("Lateral.Core.(*)")]
    [InlineData("Lateral.Diffusion.(*)")]
    [InlineData("Lateral.Rewards.(*)")]
    [InlineData("Lateral.Node.(*)")]
    public void Namespaces_must_be_free_of_circles(string slices) => SliceRuleDefinition.Slices().Matching(slices).Should().BeFreeOfCycles().Check(Loaded);

    [Fact]
    public void Engines_must_meet_actors_only_through_ports()
    {
        var engines = Types().That().ImplementInterface(typeof(Core.Rollouts.ISampler)).Or().ImplementInterface(typeof(Core.Learning.ILearner));
        engines.Should().NotResideInAssembly(Assemblies["Actors"]).Check(Loaded);
        Types().That().ResideInAssembly(Assemblies["Actors"]).Should().NotDependOnAny(Types().That().ResideInAssembly(Assemblies["Diffusion"]).Or().ResideInAssembly(Assemblies["Rewards"])).Check(Loaded);
    }

    [Fact]
    public void Natives_must_not_be_copied_into_any_bin_folder()
    {
        // They are 480 MB each time; the bootstrap loads them from the package folder.
        var copies = Directory.EnumerateDirectories(Root, "bin", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
            .SelectMany(bin => Directory.EnumerateFiles(bin, "*torch_cpu.*", SearchOption.AllDirectories));
        Assert.Empty(copies);
    }

    [Fact]
    public void Source_file_must_fit_in_350_lines()
    {
        var tooLong = Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .Select(path => (Path: Path.GetRelativePath(Root, path), Lines: File.ReadLines(path).Count())).Where(file => file.Lines > 350);
        Assert.Empty(tooLong);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
