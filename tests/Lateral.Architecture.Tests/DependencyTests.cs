using System.Reflection;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Assembly = System.Reflection.Assembly;

namespace Lateral.Architecture.Tests;

/// <summary>Who may use whom. "Actors hold no math" and "math knows no actors" are compile errors; this keeps them so.</summary>
public sealed class DependencyTests
{
    private static readonly Assembly Core = typeof(Lateral.Core.CounterRandom).Assembly;
    private static readonly Assembly Configuration = typeof(Lateral.Configuration.Hocon).Assembly;
    private static readonly Assembly Diffusion = typeof(Lateral.Diffusion.Native.NativeBootstrap).Assembly;
    private static readonly Assembly Rewards = typeof(Lateral.Rewards.Verifiers.VerifierRegistry).Assembly;
    private static readonly Assembly Actors = typeof(Lateral.Actors.RunHost).Assembly;

    private static readonly ArchUnitNET.Domain.Architecture Sources = new ArchLoader().LoadAssemblies(Core, Configuration, Diffusion, Rewards, Actors).Build();

    /// <summary>Namespaces of Core in flow order: each may use only those before it.</summary>
    private static readonly string[] FlowOrder = ["Policies", "Prompts", "Rollouts", "Rewards", "Learning", "Runs"];

    public static TheoryData<string, string[]> AllowedReferences { get; } = new()
    {
        { "Lateral.Core", [] },
        { "Lateral.Configuration", [] },
        { "Lateral.Diffusion", ["Lateral.Core", "TorchSharp"] },
        { "Lateral.Rewards", ["Lateral.Core"] },
        { "Lateral.Actors", ["Lateral.Core", "Lateral.Configuration", "Akka", "Google.Protobuf", "linq2db", "Microsoft.Data.Sqlite"] },
    };

    public static TheoryData<string, string> ForbiddenUses { get; } = Pairs();

    [Theory]
    [MemberData(nameof(AllowedReferences))]
    public void Project_must_reference_only_what_the_architecture_allows(string project, string[] allowed)
    {
        var references = new[] { Core, Configuration, Diffusion, Rewards, Actors }.Single(assembly => assembly.GetName().Name == project).GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => !name.StartsWith("System", StringComparison.Ordinal) && name is not ("netstandard" or "mscorlib"));
        Assert.All(references, name => Assert.Contains(allowed, prefix => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(ForbiddenUses))]
    public void Core_namespace_must_use_only_those_before_it_in_flow_order(string earlier, string later) =>
        Types().That().ResideInNamespaceMatching($@"^Lateral\.Core\.{earlier}(\.|$)")
            .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching($@"^Lateral\.Core\.{later}(\.|$)"))
            .Check(Sources);

    [Fact]
    public void Every_core_namespace_must_have_its_place_in_the_flow()
    {
        var namespaces = Core.GetTypes().Where(type => type.IsPublic).Select(type => type.Namespace!).Distinct();
        Assert.All(namespaces, name => Assert.True(name == "Lateral.Core" || FlowOrder.Contains(name.Split('.')[2]), name));
    }

    [Fact]
    public void Projects_must_not_form_a_circle()
    {
        var edges = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file),
            file => System.Xml.Linq.XDocument.Load(file).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)).ToArray());
        foreach (var project in edges.Keys) Assert.DoesNotContain(project, Reachable(project));

        HashSet<string> Reachable(string from)
        {
            var seen = new HashSet<string>();
            var next = new Queue<string>(edges[from]);
            while (next.TryDequeue(out var project))
            {
                if (seen.Add(project)) foreach (var more in edges[project]) next.Enqueue(more);
            }

            return seen;
        }
    }

    [Fact]
    public void Natives_of_libtorch_must_not_be_copied_into_bin_folders()
    {
        var copies = Directory.GetFiles(AppContext.BaseDirectory, "*torch_cpu*", SearchOption.AllDirectories);
        Assert.Empty(copies);
    }

    private static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        for (var earlier = 0; earlier < FlowOrder.Length; earlier++)
        {
            for (var later = earlier + 1; later < FlowOrder.Length; later++) pairs.Add(FlowOrder[earlier], FlowOrder[later]);
        }

        return pairs;
    }
}

/// <summary>The checkout the tests run in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"no Actors.sln above {AppContext.BaseDirectory}");
    }
}
