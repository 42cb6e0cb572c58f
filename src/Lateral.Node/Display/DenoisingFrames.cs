using System.Collections.Immutable;

namespace Lateral.Node.Display;

/// <summary>One position of a frame.</summary>
/// <param name="Text">what is shown: the token, or a shade of its width while it is masked</param>
/// <param name="Step">the denoising step that revealed it; -1 = masked, <see cref="SampleView.Given"/> = none, it stood there from the start</param>
/// <param name="Fresh">revealed by this frame's step</param>
public readonly record struct FrameCell(string Text, int Step, bool Fresh);

/// <summary>A completion after so many denoising steps. Example (sort5, after 1 of 3): <c>1░░░5</c>.</summary>
/// <param name="Done">denoising steps done; 0 = everything is masked</param>
public sealed record DenoisingFrame(int Done, ImmutableArray<FrameCell> Cells)
{
    public string Text => string.Concat(Cells.Select(cell => cell.Text));
}

/// <summary>A recorded denoising as frames: what a sampler's canvas held between its steps, rebuilt from the reveal order alone.</summary>
internal static class DenoisingFrames
{
    public const char Mask = '░';

    /// <returns>steps + 1 frames, from all masked to the finished completion; what was never revealed stays masked</returns>
    public static ImmutableArray<DenoisingFrame> Of(SampleView view) => [.. Enumerable.Range(0, view.Steps + 1).Select(done => At(view, done))];

    /// <summary>The frame after <paramref name="done"/> steps; beyond the last step nothing changes any more.</summary>
    public static DenoisingFrame At(SampleView view, int done) => new(done, [.. view.Pieces.Select(piece => Cell(piece.Text, piece.Step, done))]);

    private static FrameCell Cell(string text, int step, int done)
    {
        var shown = Visible(text);
        if (step == SampleView.Given) return new FrameCell(shown, step, false);
        return step >= 0 && step < done ? new FrameCell(shown, step, step == done - 1) : new FrameCell(new string(Mask, shown.Length), -1, false);
    }

    /// <summary>A token without a glyph (the end token, a line feed) would move everything after it.</summary>
    private static string Visible(string text) => text.Length == 0 ? "·" : string.Concat(text.Select(character => character == '\n' ? '⏎' : char.IsControl(character) ? '·' : character));
}
