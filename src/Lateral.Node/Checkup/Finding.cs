namespace Lateral.Node.Checkup;

/// <summary>One thing a run needs of the machine.</summary>
/// <param name="Well">false where a run would fail</param>
/// <param name="Fix">what to do, or what else is possible; null where there is nothing to say</param>
public sealed record Finding(string Subject, bool Well, string Text, string? Fix = null);
