using System.Collections.Immutable;
using Lateral.Core.Prompts;

namespace Lateral.Tests.Diffusion;

/// <summary>Digits are their own ids; then the end token (where there is one), then MASK.</summary>
internal sealed class DigitTokenizer(bool withEnd, int digits = 10) : ITokenizer
{
    public int VocabularySize => MaskId + 1;

    public int MaskId => digits + (withEnd ? 1 : 0);

    public int? EndId => withEnd ? digits : null;

    public ImmutableArray<int> Encode(string text) => [.. text.Select(c => c - '0')];

    public string Decode(ReadOnlySpan<int> ids) => string.Concat(ids.ToArray().Where(id => id < digits));
}
