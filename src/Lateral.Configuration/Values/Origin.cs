namespace Lateral.Configuration;

/// <summary>
/// Where a value was written. Example: <c>new Origin("quickstart.conf", 3, 9)</c> prints <c>quickstart.conf:3:9</c>.
/// Line and column count from 1; line 0 means that the source has no lines (a missing file).
/// </summary>
public sealed record Origin(string Source, int Line, int Column)
{
    /// <summary>The environment variable that gave the value which a substitution here asked for.</summary>
    public string? Variable { get; init; }

    public override string ToString() => (Line == 0 ? Source : $"{Source}:{Line}:{Column}") + (Variable is null ? "" : $" (env ${Variable})");
}

/// <summary>One mistake of the user: what is wrong, why, and how to fix it. Prints as <c>file:line:col  message</c>.</summary>
public sealed record ConfigError(Origin Origin, string Message)
{
    public override string ToString() => $"{Origin}  {Message}";
}

/// <summary>Every mistake found in one pass; the message holds one line per error.</summary>
public sealed class ConfigException(IReadOnlyList<ConfigError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<ConfigError> Errors { get; } = errors;
}
