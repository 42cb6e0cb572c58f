using System.CommandLine;
using Lateral.Node.Cli;

namespace Lateral.Node.Tests;

public sealed class HelpTests
{
    private static Terminal Silent => new(TextWriter.Null, TextWriter.Null, null);

    public static TheoryData<string> Commands() => [.. Below(CommandLine.Build(Silent), "").Select(pair => pair.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Command_must_explain_itself_in_one_line_with_an_example_and_take_json(string name)
    {
        var command = Below(CommandLine.Build(Silent), "").Single(pair => pair.Name == name).Command;
        Assert.DoesNotContain('\n', command.Description!);
        Assert.Contains($"; for example: lateral {name}", command.Description, StringComparison.Ordinal);
        var takesJson = command.Options.Concat(command.Parents.OfType<Command>().SelectMany(parent => parent.Options.Where(option => option.Recursive))).Any(option => option.Name == "--json");
        Assert.True(takesJson || command.Action is null, $"{name} lacks --json");
        Assert.All(command.Options.Where(option => option.Name is not ("--help" or "--version")), option => Assert.False(string.IsNullOrEmpty(option.Description), option.Name));
        Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrEmpty(argument.Description), argument.Name));
    }

    private static IEnumerable<(string Name, Command Command)> Below(Command command, string prefix) =>
        command.Subcommands.SelectMany(child => Below(child, $"{prefix}{child.Name} ").Prepend(($"{prefix}{child.Name}", child)));
}
