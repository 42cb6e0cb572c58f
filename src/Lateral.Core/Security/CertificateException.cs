namespace Lateral.Core.Security;

/// <summary>A certificate or key of this node is missing, unreadable or not what TLS between nodes needs; the message says how to mend it.</summary>
public sealed class CertificateException(string message, Exception? cause = null) : Exception(message, cause);
