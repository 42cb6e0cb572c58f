using System.CommandLine;
using System.Text.Json;
using Lateral.Node.Certificates;

namespace Lateral.Node.Cli;

/// <summary><c>certs init</c>, <c>certs issue</c>: the private authority that nodes of a cluster know each other by.</summary>
internal static class CertsCommand
{
    private const string DefaultFolder = "certs";
    private const int MostDays = 36_500;

    public static Command Create(Terminal terminal) => new("certs", Help.Line("make the certificates that nodes know each other by", "certs init")) { Init(terminal), Issue(terminal) };

    private static Command Init(Terminal terminal)
    {
        var (folder, json, days) = (Folder(), Options.Json(), Days(3650));
        var name = new Option<string>("--name") { Description = "whose authority it is, as certificates show it", DefaultValueFactory = _ => "Lateral" };
        var init = new Command("init", Help.Line("make a private certificate authority, once for a cluster", "certs init --dir certs")) { folder, name, days, json };
        init.SetAction(parsed =>
        {
            var authority = Open(parsed.GetValue(folder)!).CreateAuthority(parsed.GetValue(name)!, parsed.GetValue(days));
            if (parsed.GetValue(json)) WriteJson(terminal, new { certificate = authority.Certificate, key = authority.Key, expires = authority.Expires });
            else
            {
                terminal.Out.WriteLine($"wrote {authority.Certificate}, valid until {authority.Expires:yyyy-MM-dd}: give it to every node");
                terminal.Out.WriteLine($"wrote {authority.Key}: who has it can join the cluster, so give it to none");
                terminal.Out.WriteLine($"  next  {Commands.Program} certs issue NODE --host ADDRESS --dir {parsed.GetValue(folder)}");
            }

            return (int)ExitCode.Done;
        });
        return init;
    }

    private static Command Issue(Terminal terminal)
    {
        var (folder, json, days) = (Folder(), Options.Json(), Days(825));
        var node = new Argument<string>("NODE") { Description = "the node, for example learner; names its files" };
        var hosts = new Option<string[]>("--host") { Description = "a host name or address that other nodes reach it at; may be repeated", HelpName = "HOST", Required = true };
        var issue = new Command("issue", Help.Line("make one node's certificate and key", "certs issue learner --host 10.0.0.7 --host learner.example.org")) { node, hosts, folder, days, json };
        issue.SetAction(parsed =>
        {
            var certificates = Open(parsed.GetValue(folder)!);
            var issued = certificates.Issue(parsed.GetValue(node)!, parsed.GetValue(hosts) ?? [], parsed.GetValue(days));
            if (parsed.GetValue(json)) WriteJson(terminal, new { authority = certificates.AuthorityCertificate, certificate = issued.Certificate, key = issued.Key, expires = issued.Expires });
            else
            {
                terminal.Out.WriteLine($"wrote {issued.Certificate}, valid until {issued.Expires:yyyy-MM-dd}, and {issued.Key}");
                terminal.Out.WriteLine($"  take both and {certificates.AuthorityCertificate} to the node; in its configuration:");
                terminal.Out.WriteLine($"  tls {{ ca = {Quoted(certificates.AuthorityCertificate)}, certificate = {Quoted(issued.Certificate)}, key = {Quoted(issued.Key)} }}");
            }

            return (int)ExitCode.Done;
        });
        return issue;
    }

    private static Option<string> Folder() => new("--dir") { Description = $"folder of the authority and its certificates (default: {DefaultFolder})", HelpName = "DIR", DefaultValueFactory = _ => DefaultFolder };

    private static Option<int> Days(int standard)
    {
        var days = new Option<int>("--days") { Description = $"how long it is valid (default: {standard})", DefaultValueFactory = _ => standard };
        days.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is < 1 or > MostDays) result.AddError($"--days must be from 1 to {MostDays}");
        });
        return days;
    }

    private static CertificateFolder Open(string folder) => new(folder, TimeProvider.System);

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private static void WriteJson(Terminal terminal, object value) => terminal.Out.WriteLine(JsonSerializer.Serialize(value));
}
