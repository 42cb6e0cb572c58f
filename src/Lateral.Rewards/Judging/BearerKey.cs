using System.Net.Http.Headers;

namespace Lateral.Rewards.Judging;

/// <summary>An endpoint's key. It leaves this type in a request's header only: no print, message or log shows it.</summary>
internal sealed class BearerKey(string text)
{
    private const string Hidden = "***";

    public AuthenticationHeaderValue Header => new("Bearer", text);

    /// <summary>Why a text cannot be a key, without the text; null where it can.</summary>
    public static string? Mistake(string text) =>
        text.Length == 0 ? "is empty: set the variable that it is read from, or leave the key out"
        : text.Any(letter => letter is <= ' ' or > '~') ? "has a space, a line break or a letter beyond ASCII, which no header carries: look at how its variable was set"
        : null;

    /// <summary>The text of somebody else, without the key: endpoints like to quote the key that they refuse.</summary>
    public string Hide(string other) => other.Replace(text, Hidden, StringComparison.Ordinal);

    public override string ToString() => Hidden;
}
