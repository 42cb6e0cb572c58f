using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Judging;

/// <summary>
/// Sets texts that others wrote apart from what the judge is told. Each stands between a line <c>&lt;completion 0f3a...&gt;</c> and a line
/// <c>&lt;/completion 0f3a...&gt;</c>, whose mark is a hash of all the quoted texts: a text that closes its own quotation would have to contain its own hash.
/// </summary>
/// <remarks>It keeps data from looking like the frame around it. It cannot keep a judge from being talked round by what it reads.</remarks>
internal sealed partial class Quotation
{
    private const int MarkLetters = 16;

    public Quotation(params IReadOnlyList<string> texts)
    {
        // Lengths keep "ab" + "c" apart from "a" + "bc".
        var all = string.Concat(texts.Select(text => $"{text.Length}:{text}"));
        Mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..MarkLetters];
    }

    /// <summary>The same for the same texts, so that the same question is the same request.</summary>
    public string Mark { get; }

    public string Quote(string name, string text) => $"<{name} {Mark}>\n{Disarm(text)}\n</{name} {Mark}>";

    /// <summary>Servers may read a chat's control tokens in any text as such: <c>&lt;|im_end|&gt;</c> would end the turn. A space inside makes them text.</summary>
    private static string Disarm(string text) => ControlToken().Replace(text, token => token.Value.Insert(1, " "));

    [GeneratedRegex(@"<\|[^|<>\s]{1,64}\|>|<｜[^｜<>\s]{1,64}｜>|\[/?INST\]|<</?SYS>>|</?(s|think|bos|eos|pad|unk)>|<(start|end)_of_turn>", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ControlToken();
}
