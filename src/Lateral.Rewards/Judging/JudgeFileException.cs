namespace Lateral.Rewards.Judging;

/// <summary>Something on this machine is not as a judge's keys say: a file that is missing, unreadable or something else. The message says which and what to do.</summary>
internal sealed class JudgeFileException(string message, Exception? cause = null) : Exception(message, cause);
