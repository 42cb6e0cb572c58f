namespace Lateral.Configuration;

/// <summary>How the loader reaches the outside world. The defaults are the process environment and the file system.</summary>
public sealed record HoconOptions
{
    /// <summary>The value of an environment variable, or null when it is not set. Asked only for <c>${NAME}</c> that no file defines.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>The text of a file, or null when there is none; may throw <see cref="IOException"/> when it cannot be read.</summary>
    public Func<string, string?> ReadFile { get; init; } = SourceText.ReadFile;
}

/// <summary>A named text that is part of the program, such as the embedded reference.conf with every default.</summary>
public sealed record HoconText(string Text, string Source = "reference.conf")
{
    public static implicit operator HoconText(string text) => new(text);
}
