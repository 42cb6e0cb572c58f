using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Own;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Tests.Own;

/// <summary>Rewards out of this very assembly, loaded a second time as a user's would be.</summary>
public sealed class OwnRewardTests : IDisposable
{
    private const string Missing = "Missing.Library";

    private static readonly string Here = typeof(OwnRewardTests).Assembly.Location;

    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-own-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Reward_must_score_with_the_program_s_own_types_and_settings()
    {
        var reward = Of(Here, typeof(LengthReward), """{"most": 8}""");
        await Assert.IsType<IPreparedReward>(reward, exactMatch: false).PrepareAsync(CancellationToken.None);
        var scored = Assert.IsType<RewardOutcome.Scored>(await ScoreAsync(reward, "1234"));
        Assert.Equal(.5, scored.Value);
        Assert.Equal(.5, scored.Breakdown["length"]);
        // The same file, loaded apart: its class is another one than this assembly's, and its state is its own.
        Assert.Equal(0, LengthReward.Made);
        Assert.Contains(AssemblyLoadContext.All, context => context is OwnRewardContext && context.Assemblies.Any(assembly => assembly.GetName().Name == "Lateral.Rewards.Tests"));
    }

    [Fact]
    public async Task Dependencies_must_come_from_beside_the_assembly_and_what_is_shared_from_the_program()
    {
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(Here)!, "*.dll").Concat([Path.ChangeExtension(Here, ".deps.json")])) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var reward = Of(Path.Combine(_folder, Path.GetFileName(Here)), typeof(DependencyReward));
        Assert.Equal(new RewardOutcome.ModelFault("CsCheck apart, Lateral.Core shared"), await ScoreAsync(reward, ""));
        // Built again while it is in use: what is loaded stays as it was.
        foreach (var file in Directory.EnumerateFiles(_folder)) await File.WriteAllTextAsync(file, "something else");
        Assert.Equal(new RewardOutcome.ModelFault("CsCheck apart, Lateral.Core shared"), await ScoreAsync(reward, ""));
    }

    [Fact]
    public async Task Reward_that_needs_its_machine_must_be_prepared_and_one_that_holds_something_disposed()
    {
        var reward = (OwnReward)Of(Here, typeof(PreparedReward), "no");
        Assert.Equal("no machine", (await Assert.ThrowsAsync<RewardUnavailableException>(() => reward.PrepareAsync(CancellationToken.None))).Message);
        var file = Path.Combine(_folder, "disposed");
        var disposable = (OwnReward)Of(Here, typeof(PreparedReward), file);
        await disposable.PrepareAsync(CancellationToken.None);
        Assert.False(File.Exists(file));
        await disposable.DisposeAsync();
        Assert.True(File.Exists(file));
        // One that was never needed is never loaded for the sake of its end.
        await ((OwnReward)Of("no.dll")).DisposeAsync();
    }

    [Fact]
    public async Task Constructor_that_takes_a_string_must_see_an_empty_one_where_there_are_no_settings() =>
        Assert.Equal(new RewardOutcome.ModelFault("settings ''"), await ScoreAsync(Of(Here, typeof(SettingsReward)), ""));

    [Fact]
    public async Task What_a_reward_throws_must_be_a_fault_of_the_pool()
    {
        var pool = new RewardPool(new RewardPoolSpec("own", "assembly", 1, 1, TimeSpan.FromMinutes(1), 0), Of(Here, typeof(ThrowingReward)));
        Assert.Equal(new RewardOutcome.InfraFault("InvalidOperationException: not today"), Assert.Single(await pool.ScoreAsync([Request("")])));
    }

    [Fact]
    public async Task Assembly_that_is_none_must_be_refused_with_what_to_do()
    {
        var text = Path.Combine(_folder, "Reward.cs");
        await File.WriteAllTextAsync(text, "class Reward;");
        await RefusedAsync(Of(text), $"path = {text} is no .NET assembly - name the project's .dll, not its source or its executable");
        await RefusedAsync(Of(Path.Combine(_folder, "no.dll")), $"path = {_folder}/no.dll does not exist (looked for {_folder}/no.dll) - build the project first: dotnet build; lateral init reward makes one to begin with");
        await RefusedAsync(Of(_folder), $"path = {_folder} is a folder - name the assembly in it, for example {_folder}/MyReward.dll");
        var torn = Path.Combine(_folder, "torn.dll");
        await File.WriteAllBytesAsync(torn, (await File.ReadAllBytesAsync(Here))[..20_000]);
        await RefusedAsync(Of(torn), $"path = {torn} is no .NET assembly");
    }

    [Fact]
    public async Task Assembly_of_another_time_must_be_refused_by_version()
    {
        var (runtime, core) = (Environment.Version.Major, typeof(IReward).Assembly.GetName().Version);
        var newer = Minimal("newer.dll", ("System.Runtime", new Version(99, 0, 0, 0)), ("Lateral.Core", core!));
        await RefusedAsync(Of(newer), $"path = {newer} is built for .NET 99, and this program runs on .NET {runtime} - write <TargetFramework>net{runtime}.0</TargetFramework> in its project and build it again");
        var other = Minimal("other.dll", ("System.Runtime", new Version(8, 0, 0, 0)), ("Lateral.Core", new Version(99, 1, 0, 0)));
        await RefusedAsync(Of(other), $"path = {other} is built for Lateral.Core 99.1.0.0, and this program has {core} - build it against the Lateral.Core.dll in {AppContext.BaseDirectory}");
        var none = Minimal("none.dll", ("System.Runtime", new Version(8, 0, 0, 0)));
        await RefusedAsync(Of(none), $"path = {none} does not use Lateral.Core, so there is no reward in it");
        var empty = Minimal("empty.dll", ("Lateral.Core", core!));
        await RefusedAsync(Of(empty), $"path = {empty} has no reward: no public class in it implements Lateral.Core.Rewards.IReward");
    }

    [Fact]
    public async Task Assembly_whose_dependency_is_missing_must_be_refused_with_its_name()
    {
        var alone = Minimal("alone.dll", ("Lateral.Core", typeof(IReward).Assembly.GetName().Version!), (Missing, new Version(1, 2, 3, 0)));
        await RefusedAsync(Of(alone), $"path = {alone} cannot be loaded: Could not load file or assembly '{Missing}, Version=1.2.3.0, ");
        await RefusedAsync(Of(alone), "its dependencies have to lie beside it");
    }

    [Theory]
    [InlineData("LengthRewards", "type = Lateral.Rewards.Tests.Own.LengthRewards: unknown reward in this assembly 'Lateral.Rewards.Tests.Own.LengthRewards'; did you mean 'Lateral.Rewards.Tests.Own.LengthReward'? Known: ")]
    [InlineData(nameof(OwnRewardTests), "is no reward: it does not implement Lateral.Core.Rewards.IReward")]
    [InlineData(nameof(HiddenReward), "is no reward: it is not public")]
    [InlineData(nameof(AbstractReward), "is no reward: it is abstract or has type parameters, so that none can be made")]
    [InlineData(nameof(GreedyReward), "has no suitable constructor - it needs a public one that takes nothing, or one string for settings")]
    [InlineData(nameof(BrokenReward), "failed: FormatException: the settings are no good")]
    [InlineData(null, "has several rewards - write type = one of Lateral.Rewards.Tests.Own.BrokenReward, Lateral.Rewards.Tests.Own.DependencyReward, ")]
    public async Task Type_that_cannot_be_made_must_be_refused(string? type, string message) =>
        await RefusedAsync(VerifierRegistry.Create("assembly", Keys(Here, type is null ? null : $"Lateral.Rewards.Tests.Own.{type}", null)), message);

    [Fact]
    public async Task Settings_that_nobody_reads_must_be_refused() =>
        await RefusedAsync(Of(Here, typeof(ThrowingReward), "x"), "takes none - leave the key out, or give the class a public constructor that takes one string");

    [Fact]
    public void Path_must_be_there() =>
        Assert.Equal("path is missing: reward kind assembly needs it", Assert.Throws<RewardSettingException>(() => VerifierRegistry.Create("assembly", new Dictionary<string, string>())).Message);

    /// <summary>Before a run as a refusal, and in one as a fault: never an exception, never a number.</summary>
    private static async Task RefusedAsync(IReward reward, string message)
    {
        var refused = (await Assert.ThrowsAsync<RewardUnavailableException>(() => ((IPreparedReward)reward).PrepareAsync(CancellationToken.None))).Message;
        Assert.StartsWith("reward kind assembly: ", refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
        Assert.Contains(message, Assert.IsType<RewardOutcome.InfraFault>(await ScoreAsync(reward, "")).Kind, StringComparison.Ordinal);
    }

    private static IReward Of(string path, Type? type = null, string? settings = null) => VerifierRegistry.Create("assembly", Keys(path, type?.FullName, settings));

    private static Dictionary<string, string> Keys(string path, string? type, string? settings) =>
        new[] { ("path", path), ("type", type), ("settings", settings) }.Where(key => key.Item2 is not null).ToDictionary(key => key.Item1, key => key.Item2!);

    private static async Task<RewardOutcome> ScoreAsync(IReward reward, string completion) => await reward.ScoreAsync(Request(completion), CancellationToken.None);

    private static RewardRequest Request(string completion) => new(new RolloutId(0, 0), new Prompt(0, [], "prompt", "reference"), completion);

    /// <summary>An assembly that only names what it was built against; with a class whose base class is in <see cref="Missing"/> where that is named.</summary>
    private string Minimal(string name, params (string Name, Version Version)[] references)
    {
        var metadata = new MetadataBuilder();
        metadata.AddAssembly(metadata.GetOrAddString(Path.GetFileNameWithoutExtension(name)), new Version(1, 0, 0, 0), default, default, default, AssemblyHashAlgorithm.None);
        metadata.AddModule(0, metadata.GetOrAddString(name), metadata.GetOrAddGuid(Guid.NewGuid()), default, default);
        metadata.AddTypeDefinition(default, default, metadata.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        foreach (var (reference, version) in references)
        {
            var assembly = metadata.AddAssemblyReference(metadata.GetOrAddString(reference), version, default, default, default, default);
            if (reference != Missing) continue;
            var above = metadata.AddTypeReference(assembly, metadata.GetOrAddString(Missing), metadata.GetOrAddString("Above"));
            metadata.AddTypeDefinition(TypeAttributes.Public | TypeAttributes.Class, default, metadata.GetOrAddString("Below"), above, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        }

        var image = new BlobBuilder();
        new ManagedPEBuilder(PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(metadata), new BlobBuilder()).Serialize(image);
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, image.ToArray());
        return path;
    }
}
