namespace Lateral.Configuration;

/// <summary>Prints paths the way a user would write them: <c>reward.pools."a.b".weight</c>.</summary>
public static class ConfigPath
{
    public static string Render(IEnumerable<string> keys) => string.Join('.', keys.Select(RenderKey));

    public static string RenderKey(string key) => IsPlain(key) ? key : JsonText.Quote(key);

    internal static string Join(string parent, string key) => parent.Length == 0 ? RenderKey(key) : $"{parent}.{RenderKey(key)}";

    private static bool IsPlain(string key) =>
        key.Length > 0 && key != "include" && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' || (c == '/' && key.Count('/') == 1));
}
