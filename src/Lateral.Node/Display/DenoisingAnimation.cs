using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lateral.Node.Display;

/// <summary>
/// Plays recorded denoisings on a terminal, all at once, and leaves the finished ones there. The recording is complete
/// before the first frame, so nothing waits for the show; it is short however many steps there were.
/// </summary>
internal static class DenoisingAnimation
{
    private const int MostFrames = 48;

    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(2.4), Longest = TimeSpan.FromMilliseconds(300);

    /// <param name="skip">ends the show at once; the finished completions are still written</param>
    public static async Task PlayAsync(IAnsiConsole console, IReadOnlyList<SampleView> views, Task skip, TimeProvider time)
    {
        var capabilities = console.Profile.Capabilities;
        if (capabilities is { Ansi: true, Interactive: true } && Fits(views, console.Profile.Width, console.Profile.Height))
        {
            var moments = Moments(views.Max(view => view.Steps));
            var pause = TimeSpan.FromTicks(Math.Min(Longest.Ticks, Whole.Ticks / moments.Count));
            await console.Live(Render(views, 0)).AutoClear(true).StartAsync(async context =>
            {
                foreach (var done in moments.TakeWhile(_ => !skip.IsCompleted))
                {
                    context.UpdateTarget(Render(views, done));
                    context.Refresh();
                    await Task.WhenAny(skip, Task.Delay(pause, time));
                }
            });
        }

        console.Write(Render(views, int.MaxValue));
        console.WriteLine();
    }

    /// <summary>The steps to show, first and last among them; a long denoising is shown in strides.</summary>
    internal static IReadOnlyList<int> Moments(int steps) =>
        steps < MostFrames ? [.. Enumerable.Range(0, steps + 1)] : [.. Enumerable.Range(0, MostFrames).Select(i => (int)((long)i * steps / (MostFrames - 1)))];

    /// <summary>A picture taller than the terminal would scroll with every frame.</summary>
    internal static bool Fits(IReadOnlyList<SampleView> views, int width, int height) =>
        views.Count > 0 && width > 0 && views.Sum(view => Rows(Length(view), width)) + Rows(40, width) < height;

    internal static IRenderable Render(IReadOnlyList<SampleView> views, int done) => new Rows(views.Select(view => Line(view, done)).Append(Legend(views.Max(view => view.Steps))));

    private static Paragraph Line(SampleView view, int done)
    {
        var line = new Paragraph().Append(view.Prompt, new Style(Color.Grey)).Append(" → ");
        foreach (var cell in DenoisingFrames.At(view, done).Cells)
            line.Append(cell.Text, new Style(RunPanel.StepColor(cell.Step, view.Steps), decoration: cell.Fresh && done <= view.Steps ? Decoration.Bold : Decoration.None));
        if (done >= view.Steps && view.Reward is { } reward) line.Append($"  {Words.Rate(reward)}", new Style(reward > 0 ? Color.Green : Color.Red));
        return line;
    }

    private static Paragraph Legend(int steps)
    {
        var legend = new Paragraph().Append($"{DenoisingFrames.Mask} masked, revealed at step", new Style(Color.Grey));
        foreach (var step in Enumerable.Range(0, steps).Where(step => steps <= 8 || step == steps - 1 || step % ((steps + 7) / 8) == 0))
            legend.Append($" {step.ToString(CultureInfo.InvariantCulture)}", new Style(RunPanel.StepColor(step, steps)));
        return legend;
    }

    private static int Length(SampleView view) => view.Prompt.Length + 3 + view.Pieces.Sum(piece => Math.Max(1, piece.Text.Length)) + 8;

    private static int Rows(int length, int width) => (length + width - 1) / width;
}
