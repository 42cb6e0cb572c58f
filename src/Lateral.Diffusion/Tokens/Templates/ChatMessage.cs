using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>One message of a conversation. Example: <c>new ChatMessage("user", "How many are 2 and 3?")</c>.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>, and what else a template knows</param>
/// <param name="Content">null = none, as where an assistant calls tools and says nothing</param>
/// <param name="More">further fields that templates ask for, such as <c>reasoning_content</c> and <c>tool_calls</c></param>
public sealed record ChatMessage(string Role, string? Content, JsonObject? More = null);
