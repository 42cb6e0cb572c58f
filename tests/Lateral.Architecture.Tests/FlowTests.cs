using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Assembly = System.Reflection.Assembly;

namespace Lateral.Architecture.Tests;

/// <summary>Data flows one way inside a project, too, and a library stays where it belongs.</summary>
public sealed class FlowTests
{
    private static readonly Assembly[] Assemblies =
    [
        typeof(Lateral.Core.CounterRandom).Assembly, typeof(Lateral.Configuration.Hocon).Assembly, typeof(Lateral.Diffusion.Native.NativeBootstrap).Assembly,
        typeof(Lateral.Rewards.Verifiers.VerifierRegistry).Assembly, typeof(Lateral.Actors.RunHost).Assembly, typeof(Lateral.Node.ExitCode).Assembly,
    ];

    private static readonly ArchUnitNET.Domain.Architecture Loaded = new ArchLoader().LoadAssemblies(Assemblies).Build();

    /// <summary>Namespaces of the program in flow order: each may use only those before it.</summary>
    private static readonly string[] NodeOrder = ["Runs", "Display", "Evaluation", "Composition", "Sessions", "Cli"];

    [Theory]
    [InlineData("TorchSharp", "Diffusion")]
    [InlineData("Akka", "Actors Node")]
    [InlineData("Akka.Cluster", "Actors")]
    [InlineData("Akka.Persistence", "Actors")]
    [InlineData("Google.Protobuf", "Actors")]
    [InlineData("Microsoft.Data.Sqlite", "Actors")]
    [InlineData("Spectre.Console", "Node")]
    [InlineData("System.CommandLine", "Node")]
    public void Library_must_be_used_only_where_it_belongs(string library, string projects)
    {
        var users = Assemblies.Where(assembly => assembly.GetReferencedAssemblies().Any(reference => reference.Name == library)).Select(ProjectOf);
        Assert.Equal(projects.Split(' '), users.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Program_namespace_must_use_only_those_before_it_in_flow_order()
    {
        for (var i = 0; i < NodeOrder.Length - 1; i++)
        {
            Types().That().ResideInNamespaceMatching($@"^Lateral\.Node\.{NodeOrder[i]}(\.|$)")
                .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching($@"^Lateral\.Node\.({string.Join('|', NodeOrder[(i + 1)..])})(\.|$)"))
                .Check(Loaded);
        }
    }

    /// <summary>Messages between actors go both ways, control to the left; everything else is free of circles.</summary>
    [Theory]
    [InlineData("Lateral.Core.(*)")]
    [InlineData("Lateral.Diffusion.(*)")]
    [InlineData("Lateral.Rewards.(*)")]
    [InlineData("Lateral.Node.(*)")]
    public void Namespaces_must_not_form_a_circle(string slices) => SliceRuleDefinition.Slices().Matching(slices).Should().BeFreeOfCycles().Check(Loaded);

    [Fact]
    public void Every_program_namespace_must_have_its_place_in_the_flow()
    {
        var namespaces = typeof(Lateral.Node.ExitCode).Assembly.GetTypes().Select(type => type.Namespace).OfType<string>()
            .Where(name => name.StartsWith("Lateral.Node.", StringComparison.Ordinal)).Select(name => name.Split('.')[2]).Distinct();
        Assert.Equal(NodeOrder.Order(StringComparer.Ordinal), namespaces.Order(StringComparer.Ordinal));
    }

    private static string ProjectOf(Assembly assembly) => assembly == typeof(Lateral.Node.ExitCode).Assembly ? "Node" : assembly.GetName().Name!["Lateral.".Length..];
}
