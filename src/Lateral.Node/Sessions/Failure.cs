using Lateral.Actors;
using Lateral.Configuration;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Security;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using Lateral.Rewards.Data;

namespace Lateral.Node.Sessions;

/// <summary>Any exception as one message and an exit code; nobody is shown a stack trace for what they can mend.</summary>
internal static class Failure
{
    public static (ExitCode Code, string Message) Describe(Exception error) => error switch
    {
        UserException user => (user.Code, user.Message),
        ConfigException config => (ExitCode.Usage, config.Message),
        ModelException or SafetensorsException => (ExitCode.Usage, error.Message),
        DataException data => (ExitCode.Usage, data.Message),
        NativeBackendException native => (ExitCode.Environment, native.Message),
        RunHostException host => (ExitCode.Environment, host.Message),
        PolicyUnavailableException policy => (ExitCode.Environment, policy.Message),
        RewardUnavailableException reward => (ExitCode.Environment, reward.Message),
        CertificateException certificate => (ExitCode.Environment, certificate.Message),
        _ when EnvironmentProblem.IsDiskFull(error) => (ExitCode.Environment, $"the disk is full: {error.GetBaseException().Message}; free some space and resume"),
        RunFailedException failed => (failed.Environment ? ExitCode.Environment : ExitCode.Resumable, failed.Message),
        IOException or UnauthorizedAccessException => (ExitCode.Environment, error.Message),
        AggregateException { InnerExceptions: [var only] } => Describe(only),
        // A mistake of ours: the trace is the only thing that helps whoever mends it.
        _ => (ExitCode.Resumable, $"unexpected {error}"),
    };
}
