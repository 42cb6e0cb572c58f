namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A template's text as the renderer of the published models reads it, and the line and column of each of its characters.</summary>
internal sealed class SourceLines
{
    private readonly List<int> _starts = [0];

    public SourceLines(string template)
    {
        // Every line ends in one line feed, and the one that ends the file is none of the template's.
        Text = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (Text.EndsWith('\n')) Text = Text[..^1];
        for (var i = 0; i < Text.Length; i++)
        {
            if (Text[i] == '\n') _starts.Add(i + 1);
        }
    }

    public string Text { get; }

    public Place At(int index)
    {
        var line = _starts.BinarySearch(index);
        if (line < 0) line = ~line - 1;
        return new(line + 1, index - _starts[line] + 1);
    }

    public TemplateException Fail(int index, string message)
    {
        var at = At(index);
        return new(message, at.Line, at.Column);
    }
}
