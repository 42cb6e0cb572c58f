namespace Lateral.Core.Tests;

public sealed class ExcerptTests
{
    [Theory]
    [InlineData("11345", 5, "11345")]
    [InlineData("113456", 5, "11345...")]
    [InlineData("a\nb\u001b[2Jc", 20, "a\u23ceb [2Jc")]
    [InlineData("", 5, "")]
    public void Text_of_a_model_must_be_shown_on_one_line_and_give_a_terminal_no_order(string text, int length, string shown) => Assert.Equal(shown, Excerpt.Of(text, length));
}
