using System.Globalization;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A date in Python's format codes, in English whatever the machine speaks.</summary>
internal static class DateText
{
    public static string Of(string format, DateTimeOffset now, Site site)
    {
        site.Characters(format.Length);
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%') text.Append(format[at]);
            else if (++at < format.Length) text.Append(Part(format[at], now, site));
            else throw site.Fail("the date's format ends in a '%'");
        }

        return site.Made(text.ToString());
    }

    private static string Part(char code, DateTimeOffset now, Site site)
    {
        string Format(string net) => now.ToString(net, CultureInfo.InvariantCulture);
        return code switch
        {
            'Y' => Format("yyyy"),
            'y' => Format("yy"),
            'm' => Format("MM"),
            'B' => Format("MMMM"),
            'b' => Format("MMM"),
            'd' => Format("dd"),
            'A' => Format("dddd"),
            'a' => Format("ddd"),
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'H' => Format("HH"),
            'I' => Format("hh"),
            'M' => Format("mm"),
            'S' => Format("ss"),
            'p' => now.Hour < 12 ? "AM" : "PM",
            '%' => "%",
            _ => throw site.Fail($"the date's format has '%{code}', which is not implemented; %Y %y %m %B %b %d %A %a %j %H %I %M %S %p are"),
        };
    }
}
