using Lateral.Node.Display;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lateral.Node.Tests;

/// <summary>The show is computed from the record alone: frame by frame what the sampler's canvas held.</summary>
public sealed class DenoisingTests
{
    private static readonly SampleView View = SampleView.Of(Fixtures.Trajectory(10, 0, "31415", "11345", 0, 2, 1, 1, 0), 1, Fixtures.Digits);

    [Fact]
    public void Frames_must_be_the_canvas_before_between_and_after_the_steps() =>
        Assert.Equal(["░░░░░", "1░░░5", "1░345", "11345"], DenoisingFrames.Of(View).Select(frame => frame.Text));

    [Fact]
    public void Cell_must_know_its_step_and_be_fresh_only_in_the_frame_that_reveals_it()
    {
        var frame = DenoisingFrames.At(View, 2);
        Assert.Equal<FrameCell>([new("1", 0, false), new("░", -1, false), new("3", 1, true), new("4", 1, true), new("5", 0, false)], frame.Cells);
        Assert.All(DenoisingFrames.At(View, 9).Cells, cell => Assert.False(cell.Fresh));
    }

    [Fact]
    public void Token_without_a_glyph_must_not_move_what_follows()
    {
        var view = new SampleView("p", [("ab", 1), ("", 0), ("\n", 1), ("c", -1)], 2, null);
        Assert.Equal(["░░░░░", "░░·░░", "ab·⏎░"], DenoisingFrames.Of(view).Select(frame => frame.Text));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 4)]
    [InlineData(47, 48)]
    [InlineData(48, 48)]
    [InlineData(1_000_000, 48)]
    public void Long_denoising_must_be_shown_in_strides_with_both_its_ends(int steps, int frames)
    {
        var moments = DenoisingAnimation.Moments(steps);
        Assert.Equal((frames, 0, steps), (moments.Count, moments[0], moments[^1]));
        Assert.Equal(moments.Order(), moments);
    }

    [Theory]
    [InlineData(80, 24, true)]
    [InlineData(80, 3, false)]
    [InlineData(8, 6, false)]
    [InlineData(0, 24, false)]
    public void Picture_must_fit_on_the_terminal_to_be_played(int width, int height, bool fits) => Assert.Equal(fits, DenoisingAnimation.Fits([View, View], width, height));

    [Fact]
    public async Task Terminal_with_escape_sequences_must_get_frames_and_keep_the_finished_completion()
    {
        var output = await PlayAsync(ansi: true, 80, Task.CompletedTask.ContinueWith(_ => Task.Delay(Timeout.Infinite)).Unwrap());
        Assert.Contains("\u001b[", output, StringComparison.Ordinal);
        // The masked tail is drawn in one piece before any step.
        Assert.Contains("░░░░░", output, StringComparison.Ordinal);
        Assert.Contains("masked, revealed at step", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Skipped_show_must_still_end_with_the_finished_completion()
    {
        var output = await PlayAsync(ansi: true, 80, Task.CompletedTask);
        Assert.Contains("31415 → 11345  1", Plain(output).Split('\n').Select(line => line.TrimEnd()));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(9)]
    public async Task Terminal_without_escape_sequences_must_get_the_finished_completion_only(int width)
    {
        var output = await PlayAsync(ansi: false, width, Task.CompletedTask);
        Assert.DoesNotContain('\u001b', output);
        Assert.StartsWith("31415→11345", output.ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static async Task<string> PlayAsync(bool ansi, int width, Task skip)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ansi ? ColorSystemSupport.TrueColor : ColorSystemSupport.NoColors,
            Interactive = ansi ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width;
        console.Profile.Height = 24;
        await DenoisingAnimation.PlayAsync(console, [View], skip, TimeProvider.System).WaitAsync(TimeSpan.FromSeconds(30));
        return writer.ToString();
    }

    private static string Plain(string text) => System.Text.RegularExpressions.Regex.Replace(text, "\u001b\\[[0-9;?]*[a-zA-Z]", "").ReplaceLineEndings("\n");
}
