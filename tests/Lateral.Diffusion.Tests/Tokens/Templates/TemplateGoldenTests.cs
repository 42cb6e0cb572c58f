using Lateral.Diffusion.Tokens.Templates;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// Templates against Jinja2 itself, which is what models are trained with, and against @huggingface/jinja, whose departures from it are named below. Golden/make-templates.py and make-templates.mjs have made
/// what is compared.
/// </summary>
public class TemplateGoldenTests
{
    [Fact]
    public void Every_case_must_be_written_as_Jinja_writes_it()
    {
        Assert.InRange(GoldenTemplates.OfCases.Count, 250, int.MaxValue);
        AssertSame(GoldenTemplates.OfCases);
    }

    [Fact]
    public void Chat_templates_must_be_written_as_Jinja_writes_them()
    {
        Assert.Equal(GoldenTemplates.ChatTemplates.Count * 12 * 2, GoldenTemplates.OfChat.Count);
        AssertSame(GoldenTemplates.OfChat);
    }

    [Fact]
    public void Templates_own_refusals_must_be_told_in_their_words()
    {
        // Those that a template says, and not those of the language.
        string[] words = ["not like this", "x is 3", "after a user comes the assistant, and the other way round"];
        var refused = GoldenTemplates.OfCases.Concat(GoldenTemplates.OfChat).Where(golden => words.Contains(golden.PythonMistake)).ToList();
        Assert.Equal(words.Length, refused.Select(golden => golden.PythonMistake).Distinct().Count());
        Assert.All(refused, golden =>
        {
            Assert.Null(GoldenTemplates.Written(golden, out var refusal));
            Assert.EndsWith($"the template refuses the conversation: {golden.PythonMistake}", refusal!.Message, StringComparison.Ordinal);
        });
    }

    /// <summary>
    /// Where both write something and not the same, though both notations of values are taken for one. Jinja is followed in all of them. (The library also refuses what it does not have, and is lenient with what
    /// is undefined; that is counted and not named.)
    /// </summary>
    private static readonly (string Template, string What)[] Departures =
    [
        ("{{ big }}", "floats are written as JavaScript writes them"), ("[1, 'two', 3.0", "a whole float is an integer"), ("-7 % 3", "a remainder has the dividend's sign"),
        ("{{ nothing }}", "none is written as nothing"), ("'' or 0 or none", "none is written as nothing"), ("{{ d.c }}", "none is written as nothing"), ("d.get('zz')", "none is written as nothing"), ("d.values() %}", "none is written as nothing"),
        ("[missing]", "undefined is written in small letters"), ("missing == none", "undefined is equal to none"), ("1 in [1] == true", "comparisons are no chain"), ("missing is iterable", "what is undefined cannot be walked"), ("missing is callable", "what is undefined cannot be called"),
        ("quotes, \"it's\"", "texts in lists are quoted as in JSON"), ("{{ d.keys() }} {{", "views are written as lists"),
        ("emoji[1]", "texts are counted by UTF-16"), ("emoji[:2]", "texts are counted by UTF-16"), ("emoji | tojson(true)", "ensure_ascii is read by name alone"),
        ("strip('x')", "strip takes no characters"), ("thinking / answered", "lstrip takes no characters"), ("thinking / many scripts", "lstrip takes no characters"),
        (".title()", "title and capitalize leave other letters as they are"), ("attribute='name') }} {{ [none", "join takes no attribute"), ("strftime_now", "few codes of dates are known"), ("loop.depth", "loops have no depth"),
        ("{% continue %}{% endif %}{% endfor %}{{ loop.index }}", "continue drops what the round has written"), ("{{ a }}{% endfor %}{{ a }}", "what is set in a loop stays"), ("{% set a = 2 %}{{ a }}{% endset %}", "what is set in a block stays"),
        ("\r\n", "line ends stay as they are"),
    ];

    [Fact]
    public void Departures_of_another_implementation_must_be_those_that_are_named()
    {
        var all = GoldenTemplates.OfCases.Concat(GoldenTemplates.OfChat).ToList();
        Assert.InRange(all.Count(golden => golden.Python is not null && golden.Python == golden.HuggingFace), 260, all.Count);
        var different = all.Where(golden => golden.Python is { } python && golden.HuggingFace is { } other && OneNotation(python) != OneNotation(other)).Select(golden => golden.Name).ToList();
        Assert.All(different, name => Assert.Contains(Departures, departure => name.Contains(departure.Template, StringComparison.Ordinal)));
        Assert.All(Departures, departure => Assert.Contains(different, name => name.Contains(departure.Template, StringComparison.Ordinal)));
    }

    private static string OneNotation(string written) =>
        written.Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal).Replace("None", "null", StringComparison.Ordinal).Replace('\'', '"').Replace('(', '[').Replace(')', ']');

    private static void AssertSame(IReadOnlyList<GoldenTemplate> all)
    {
        var different = all.Where(golden => GoldenTemplates.Written(golden, out _) != golden.Python)
            .Select(golden => $"{golden.Name}\n  Jinja: {golden.Python ?? $"refused ({golden.PythonMistake})"}\n  here:  {GoldenTemplates.Written(golden, out var refusal) ?? $"refused ({refusal!.Message})"}");
        if (string.Join('\n', different) is { Length: > 0 } told) Assert.Fail(told);
    }
}
