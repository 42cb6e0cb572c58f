using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Core.Security;
using Lateral.Node.PolicySync;

namespace Lateral.Node.Gradients;

/// <summary>The two ends of the way that gradients take, which is that of policies in the other direction.</summary>
public static class GradientTransport
{
    /// <summary>The learner's node.</summary>
    /// <returns>null where the learner has no other ranks</returns>
    public static BesideRequests? Take(RunSettings settings, SharedGradients gradients)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(gradients);
        return gradients.Shared ? new(GradientFormat.Path, new GradientRequests(gradients, settings.Policies.Downloads).AnswerAsync) : null;
    }

    /// <summary>A rank of another process.</summary>
    /// <param name="source">where the learner's node serves, and so listens</param>
    public static IGradientSink Send(RunSettings settings, PolicySource source, NodeIdentity? identity)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new HttpGradientSink(new Uri(source.Address!), PolicyTransport.TokenFor(settings, source), identity);
    }
}
