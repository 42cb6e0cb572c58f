using System.Security.Cryptography;
using System.Text;
using Lateral.Configuration;

namespace Lateral.Node.PolicySync;

/// <summary>
/// The bearer token (RFC 6750) of one run. Invariant: its text leaves the object only as a request's header; nothing that prints
/// the object shows it.
/// </summary>
public sealed class PolicyToken
{
    private const int LeastLength = 16, MostLength = 256;
    private readonly byte[] _digest;

    private PolicyToken(string text)
    {
        Text = text;
        _digest = SHA256.HashData(Encoding.UTF8.GetBytes(text));
    }

    internal string Text { get; }

    /// <summary>256 random bits.</summary>
    public static PolicyToken Draw() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));

    /// <summary>What another node of the run was told.</summary>
    /// <exception cref="UserException">too short to be hard to guess, or nothing that a header can carry</exception>
    public static PolicyToken Of(string text, string place)
    {
        if (text.Length is < LeastLength or > MostLength || text.Any(letter => letter is <= ' ' or > '~'))
            throw new UserException(ExitCode.Usage, $"{place} holds no token: {LeastLength} to {MostLength} letters, digits and signs without spaces are needed - make one with: openssl rand -hex 32");
        return new PolicyToken(text);
    }

    /// <exception cref="UserException">the file cannot be read or holds no token</exception>
    public static PolicyToken Read(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            // A token's worth, whatever the file is: /dev/zero has no end.
            var text = new char[MostLength + 2];
            return Of(new string(text, 0, reader.ReadBlock(text)).Trim(), $"policies.token-file = {path}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.Environment, $"policies.token-file = {path} cannot be read: {error.Message} - write the same token to it on every node", error);
        }
    }

    /// <summary>Takes the same time for every wrong token, so that none can be guessed letter by letter.</summary>
    public bool Matches(string? authorization)
    {
        const string scheme = "Bearer ";
        var given = authorization is not null && authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? authorization[scheme.Length..] : "";
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _digest);
    }

    public override string ToString() => Secrets.Hidden;
}
