using System.Globalization;
using System.Security;
using System.Text.Json;

namespace Lateral.Node.Cli;

/// <summary>The files of a project with a reward of one's own. It needs no package, so that it builds without a network.</summary>
/// <param name="Folder">full path</param>
/// <param name="Installation">the folder of this program, which has the assembly that it is built against</param>
internal sealed record RewardProject(string Folder, string Installation)
{
    public const string CoreFile = "Lateral.Core.dll", ConfigFile = "reward.conf", Class = "PlacesReward";

    /// <summary>The folder's name as C# writes names. Example: <c>my-reward.2</c> becomes <c>MyReward2</c>.</summary>
    public string Name { get; } = NameOf(Path.GetFileName(Path.TrimEndingDirectorySeparator(Folder)));

    public string ProjectFile => Path.Combine(Folder, $"{Name}.csproj");

    /// <summary>What <c>dotnet build</c> makes.</summary>
    public string Assembly => Path.Combine(Folder, "bin", $"{Name}.dll");

    public IReadOnlyList<(string Name, string Text)> Files =>
    [
        ($"{Name}.csproj", Project), ($"{Class}.cs", Source), (ConfigFile, Config), ("README.md", Readme), ("Directory.Build.props", Props), (".gitignore", "bin/\nobj/\n"),
    ];

    private string Project =>
        $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net{Environment.Version.Major}.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <!-- One place for the assembly, whatever it is built as: {ConfigFile} names it. -->
            <OutputPath>bin/</OutputPath>
            <AppendTargetFrameworkToOutputPath>false</AppendTargetFrameworkToOutputPath>
            <!-- Packages that you add are copied beside the assembly, where they are looked for. -->
            <EnableDynamicLoading>true</EnableDynamicLoading>
            <!-- The folder that has {CoreFile}; after moving Lateral: dotnet build -p:LateralFolder=... -->
            <LateralFolder Condition="'$(LateralFolder)' == ''">{SecurityElement.Escape(Path.TrimEndingDirectorySeparator(Installation))}</LateralFolder>
          </PropertyGroup>
          <ItemGroup>
            <!-- Not copied: a reward uses the one of the program that loads it. -->
            <Reference Include="Lateral.Core" HintPath="$(LateralFolder)/{CoreFile}" Private="false" />
          </ItemGroup>
        </Project>

        """;

    private static string Props =>
        """
        <Project>
          <!-- What folders above say of their own projects is not meant for this one. -->
          <PropertyGroup>
            <ImportDirectoryBuildTargets>false</ImportDirectoryBuildTargets>
            <ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>
          </PropertyGroup>
        </Project>

        """;

    private string Source =>
        $$"""
        using System.Collections.Immutable;
        using System.Text.Json;
        using Lateral.Core.Rewards;

        namespace {{Name}};

        /// <summary>
        /// The share of places where completion and reference agree; whoever is right everywhere gets a bonus.
        /// Example with right-share = 0.5: reference 11345, completion 11354: 3 of 5 places, so 0.5 * 3 / 5 = 0.3.
        /// </summary>
        /// <remarks>
        /// Many rollouts are scored at once: keep nothing in fields that one rollout changes and another reads.
        /// A reward that needs a server, a file or a device implements IPreparedReward and proves in PrepareAsync that it is there.
        /// </remarks>
        public sealed class {{Class}} : IReward
        {
            private readonly double _rightShare;

            /// <param name="settings">the text of the key settings in {{ConfigFile}}; leave the parameter out where there is nothing to set</param>
            public {{Class}}(string settings)
            {
                using var json = JsonDocument.Parse(settings);
                _rightShare = json.RootElement.GetProperty("right-share").GetDouble();
                // Thrown here, it stops a run before it starts, with this text.
                if (_rightShare is not (>= 0 and <= 1)) throw new ArgumentException($"right-share = {_rightShare}: must be 0 to 1");
            }

            /// <param name="cancellation">the pool's deadline: hand it on to whatever you wait for</param>
            public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
            {
                // What the task gave and what the model made of it. The form of a reference belongs to the task.
                var (reference, completion) = (request.Prompt.Reference, request.Completion);

                // Nobody's completion is to blame for a task without a reference: such a fault never becomes a number.
                if (reference.Length == 0) return new(new RewardOutcome.InfraFault("the task gives no reference"));

                // The model's own fault; it is worth the pool's fault-reward.
                if (completion.Length > 10_000) return new(new RewardOutcome.ModelFault("too-long"));

                var places = reference.Zip(completion).Count(pair => pair.First == pair.Second) / (double)reference.Length;
                var answer = completion == reference ? 1.0 : 0.0;

                // Parts are shown beside the value; evaluations count an answer as right where the part answer is 1.
                var parts = ImmutableSortedDictionary<string, double>.Empty.Add("answer", answer).Add("places", places);
                return new(new RewardOutcome.Scored(((1 - _rightShare) * places) + (_rightShare * answer), parts));
            }
        }

        """;

    private string Config =>
        $$""""
        # Lay this over a run's configuration: {{Commands.Program}} train quickstart.conf {{ConfigFile}}
        reward.pools {
          # The run's own pool; without this line both count.
          answer = null

          own {
            kind = assembly
            path = {{JsonSerializer.Serialize(Assembly)}}
            # The full name of a class; null = the only reward in the assembly.
            type = null
            # The text that its constructor gets.
            settings = """{"right-share": 0.5}"""
            # The deadline of one rollout.
            timeout = 5s
          }
        }

        """";

    private string Readme =>
        $$"""
        # {{Name}}: a reward of your own

        `{{Class}}.cs` is the reward, `{{ConfigFile}}` tells a run to use it. From this folder:

            dotnet build
            {{Commands.Program}} init quickstart.conf
            {{Commands.Program}} train quickstart.conf {{ConfigFile}}

        Change the class, build again, and the next run uses it; a run that goes on keeps what it has loaded. It is built against
        `{{Path.Combine(Installation, CoreFile)}}`; after an update of Lateral, build it again.

        """;

    private static string NameOf(string folder)
    {
        var words = string.Concat(folder.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : ' ')).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var name = string.Concat(words.Select(word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));
        return name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : $"Reward{name}";
    }
}
