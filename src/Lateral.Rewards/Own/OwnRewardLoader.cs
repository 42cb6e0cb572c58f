using System.Reflection;
using Lateral.Core.Rewards;

namespace Lateral.Rewards.Own;

/// <summary>Makes a reward of a class in an assembly of the user's: public, not abstract, with a constructor that takes nothing or one string.</summary>
internal static class OwnRewardLoader
{
    /// <param name="type">full name; null = the only reward in it</param>
    /// <param name="settings">for a constructor that takes a string; null = none, which such a constructor sees as an empty text</param>
    /// <exception cref="OwnRewardException">there is no such reward, or it cannot be made</exception>
    public static IReward Load(string path, string? type, string? settings)
    {
        AssemblyFile.Require(path);
        try
        {
            return Make(path, Choose(path, new OwnRewardContext(path).LoadMain(), type), settings);
        }
        catch (ReflectionTypeLoadException error)
        {
            throw Unloadable(path, error.LoaderExceptions.FirstOrDefault(cause => cause is not null) ?? error);
        }
        catch (Exception error) when (error is BadImageFormatException or FileLoadException or FileNotFoundException or TypeLoadException or MissingMemberException)
        {
            throw Unloadable(path, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OwnRewardException($"path = {path} cannot be read: {error.Message}", error);
        }
    }

    private static Type Choose(string path, Assembly assembly, string? name)
    {
        var rewards = assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false, IsVisible: true } && type.IsAssignableTo(typeof(IReward))).ToList();
        var names = rewards.Select(reward => reward.FullName!).Order(StringComparer.Ordinal).ToList();
        if (name is not null && rewards.Find(reward => reward.FullName == name) is { } named) return named;
        if (name is not null && assembly.GetType(name) is { } other) throw new OwnRewardException($"type = {name} in {path} is no reward: {Lack(other)}");
        if (names.Count == 0) throw new OwnRewardException($"path = {path} has no reward: no public class in it implements {typeof(IReward).FullName}");
        if (name is not null) throw new OwnRewardException($"type = {name}: {KnownNames.Unknown("reward in this assembly", name, names)}");
        return rewards.Count == 1 ? rewards[0] : throw new OwnRewardException($"path = {path} has several rewards - write type = one of {string.Join(", ", names)}");
    }

    private static string Lack(Type type) =>
        !type.IsAssignableTo(typeof(IReward)) ? $"it does not implement {typeof(IReward).FullName}"
        : !type.IsVisible ? "it is not public"
        : "it is abstract or has type parameters, so that none can be made";

    private static IReward Make(string path, Type type, string? settings)
    {
        var (plain, reading) = (type.GetConstructor([]), type.GetConstructor([typeof(string)]));
        if (plain is null && reading is null) throw new OwnRewardException($"{type.FullName} in {path} has no suitable constructor - it needs a public one that takes nothing, or one string for settings");
        if (settings is not null && reading is null) throw new OwnRewardException($"settings is given, and {type.FullName} in {path} takes none - leave the key out, or give the class a public constructor that takes one string");
        try
        {
            return (IReward)(settings is null && plain is not null ? plain.Invoke([]) : reading!.Invoke([settings ?? ""]));
        }
        catch (TargetInvocationException thrown)
        {
            var cause = thrown.GetBaseException();
            throw new OwnRewardException($"the constructor of {type.FullName} in {path} failed: {cause.GetType().Name}: {cause.Message}", cause);
        }
    }

    private static OwnRewardException Unloadable(string path, Exception cause) =>
        new($"path = {path} cannot be loaded: {cause.Message.ReplaceLineEndings(" ")} - its dependencies have to lie beside it (<EnableDynamicLoading>true</EnableDynamicLoading> in its project copies them), and it has to be built against the {AssemblyFile.Core.Name}.dll in {AppContext.BaseDirectory}", cause);
}
