using Lateral.Configuration;

namespace Lateral.Actors.Settings;

/// <summary>
/// Mistakes in the text itself, such as a missing quote. What they lead to in the settings is left untold: mending the slip mends
/// that too. Mistakes in other values stay, so that one pass still tells them all.
/// </summary>
internal sealed class Slips(IReadOnlyList<ConfigError> slips)
{
    /// <summary>A value on the slip's line is what the slip left of it, and a default was never wrong.</summary>
    public void DropConsequences(List<ConfigError> errors) =>
        Drop(errors, slips.Count, origin => origin.Source == RunSettingsLoader.Reference.Source || slips.Any(slip => slip.Origin.Source == origin.Source && slip.Origin.Line == origin.Line));

    /// <summary>Behind a slip a key may have lost its section, and is then unknown for no fault of its own.</summary>
    public void DropUnknown(List<ConfigError> errors, int first) =>
        Drop(errors, first, origin => slips.Any(slip => slip.Origin.Source == origin.Source && slip.Origin.Line <= origin.Line));

    private void Drop(List<ConfigError> errors, int first, Func<Origin, bool> consequence)
    {
        if (slips.Count == 0) return;
        for (var i = errors.Count - 1; i >= first; i--)
            if (consequence(errors[i].Origin)) errors.RemoveAt(i);
    }
}
