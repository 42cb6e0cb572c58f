using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Lateral.Core;

namespace Lateral.Node.Certificates;

/// <summary>Where a certificate and its key were written.</summary>
internal sealed record WrittenPair(string Certificate, string Key, DateTimeOffset Expires);

/// <summary>
/// The operator's folder: the authority (<c>ca.crt</c>, <c>ca.key</c>) and the certificates it issued (<c>NODE.crt</c>, <c>NODE.key</c>).
/// Invariant: a file that is there is never replaced, and only its owner can read it.
/// </summary>
internal sealed partial class CertificateFolder(string path, TimeProvider clock)
{
    private const string Authority = "ca";

    public string AuthorityCertificate => Path.Combine(path, Authority + ".crt");

    /// <exception cref="UserException">an authority is there, or the folder cannot be written</exception>
    public WrittenPair CreateAuthority(string name, int days) => Write(Authority, CertificateAuthority.Create(name, days, clock));

    /// <exception cref="UserException">no authority is there, it has expired, a name is wrong, or the node has a certificate</exception>
    public WrittenPair Issue(string node, IReadOnlyList<string> hosts, int days)
    {
        if (node == Authority || !FileName().IsMatch(node))
            throw new UserException(ExitCode.Usage, $"'{node}' is no name for a node: it names its files, so letters, digits, '.', '_' or '-', at most 64, and not '{Authority}'");
        if (hosts.Count == 0) throw new UserException(ExitCode.Usage, "--host is missing: name every host name and address that other nodes reach this node at, for example --host 10.0.0.7");
        foreach (var host in hosts.Where(host => !IPAddress.TryParse(host, out _) && !HostName().IsMatch(host)))
            throw new UserException(ExitCode.Usage, $"--host {host}: neither an IP address nor a host name; write it without scheme and port, for example --host node7.example.org");
        RequireAbsent(node);
        using var authority = ReadAuthority();
        if (authority.NotAfter <= clock.GetUtcNow().LocalDateTime)
            throw new UserException(ExitCode.Usage, $"the authority {AuthorityCertificate} expired at {authority.NotAfter:u}; make another in a new folder with {Commands.Program} certs init --dir OTHER, and issue every node's certificate from it");
        return Write(node, CertificateAuthority.Issue(authority, node, hosts, days, clock));
    }

    private X509Certificate2 ReadAuthority()
    {
        var key = Path.ChangeExtension(AuthorityCertificate, ".key");
        if (!File.Exists(AuthorityCertificate) || !File.Exists(key))
            throw new UserException(ExitCode.Usage, $"{path} holds no authority (ca.crt and ca.key); make one with {Commands.Program} certs init --dir {path}");
        try
        {
            return X509Certificate2.CreateFromPemFile(AuthorityCertificate, key);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new UserException(ExitCode.Usage, $"{AuthorityCertificate} and {key} are no certificate and key in PEM that belong together: {error.Message}", error);
        }
    }

    private void RequireAbsent(string name)
    {
        foreach (var file in new[] { $"{name}.crt", $"{name}.key" }.Select(file => Path.Combine(path, file)).Where(File.Exists))
            throw new UserException(ExitCode.Usage, $"{file} exists and is not overwritten: nodes may be using it; name another --dir, or remove it first");
    }

    private WrittenPair Write(string name, PemPair pair)
    {
        RequireAbsent(name);
        var written = new WrittenPair(Path.Combine(path, $"{name}.crt"), Path.Combine(path, $"{name}.key"), pair.Expires);
        EnvironmentProblem.Explain($"certificates cannot be written to {path}", () =>
        {
            Directory.CreateDirectory(path);
            // The certificate last: where it is, its key is.
            DurableFile.WriteText(written.Key, pair.Key + "\n");
            DurableFile.WriteText(written.Certificate, pair.Certificate + "\n");
        });
        return written;
    }

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();

    [GeneratedRegex(@"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex HostName();
}
