using System.Collections.Frozen;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>The names and signs that answers are written with.</summary>
internal static class Vocabulary
{
    /// <summary>Commands that only set the type.</summary>
    public static readonly FrozenSet<string> Silent = Set("left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle limits nolimits quad qquad enspace thinspace mathstrut strut boldsymbol mathbf mathit bf rm it boxed fbox");

    /// <summary>Commands whose braces hold text.</summary>
    public static readonly FrozenSet<string> Text = Set("text textbf textit textrm textnormal texttt mbox hbox mathrm operatorname emph");

    public static readonly FrozenSet<string> Functions = Set("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log exp");

    public static readonly FrozenSet<string> Greek = Set("alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell infty");

    /// <summary>Runs of plain letters that are names, with the command that each means.</summary>
    public static readonly FrozenDictionary<string, string> Names = Functions.Concat(Greek).Append("sqrt").Select(name => (name, name)).Concat([("inf", "infty"), ("infinity", "infty"), ("cup", "cup"), ("union", "cup")]).ToFrozenDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);

    /// <summary>Commands that are other names of signs.</summary>
    public static readonly FrozenDictionary<string, string> Signs = Of(
        ("*", "cdot times ast"), ("/", "div"), (":", "colon"), ("|", "mid vert lvert rvert"), (@"\{", "lbrace"), (@"\}", "rbrace"), ("[", "lbrack"), ("]", "rbrack"), ("(", "lparen"), (")", "rparen"), ("⟨", "langle"), ("⟩", "rangle"),
        ("<", "lt"), (">", "gt"), ("<=", "le leq leqslant"), (">=", "ge geq geqslant"), ("!=", "ne neq"));

    /// <summary>What characters outside ASCII are in LaTeX.</summary>
    public static readonly FrozenDictionary<string, string> Characters = Of(
        ("-", "− –"), (@"\times ", "×"), (@"\cdot ", "·"), (@"\div ", "÷"), (@"\pi ", "π"), (@"\infty ", "∞"), (@"\sqrt ", "√"), (@"\le ", "≤"), (@"\ge ", "≥"), (@"\ne ", "≠"), (@"\cup ", "∪"), (@"\cap ", "∩"),
        (@"\pm ", "±"), (@"\mp ", "∓"), (@"\in ", "∈"), (@"\emptyset ", "∅"), (@"^\circ ", "°"), ("^2", "²"), ("^3", "³"), (" ", "\u00a0"), (@"\frac{1}{2}", "½"), (@"\frac{1}{3}", "⅓"), (@"\frac{2}{3}", "⅔"),
        (@"\frac{1}{4}", "¼"), (@"\frac{3}{4}", "¾"), (@"\alpha ", "α"), (@"\beta ", "β"), (@"\theta ", "θ"));

    /// <summary>Two letters that are a word rather than a product.</summary>
    public static readonly FrozenSet<string> ShortWords = Set("no on am pm is it to of by up at as");

    /// <summary>Units that are told apart, by their usual names; other words beside a number say nothing.</summary>
    private static readonly FrozenDictionary<string, string> Units = Of(
        ("percent", "percent percents percentage"), ("degree", "degree degrees deg"), ("dollar", "dollar dollars usd"), ("cent", "cent cents"), ("euro", "euro euros"),
        ("mm", "mm millimeter millimeters millimetre millimetres"), ("cm", "cm centimeter centimeters centimetre centimetres"), ("m", "m meter meters metre metres"), ("km", "km kilometer kilometers kilometre kilometres"),
        ("inch", "in inch inches"), ("foot", "ft foot feet"), ("yard", "yd yard yards"), ("mile", "mi mile miles"), ("mg", "mg milligram milligrams"), ("g", "g gram grams"), ("kg", "kg kilogram kilograms"), ("pound", "lb lbs pound pounds"), ("ounce", "oz ounce ounces"),
        ("second", "s sec second seconds"), ("minute", "min minute minutes"), ("hour", "h hr hrs hour hours"), ("day", "day days"), ("week", "week weeks"), ("month", "month months"), ("year", "year years"),
        ("ml", "ml milliliter milliliters"), ("liter", "l liter liters litre litres"), ("mph", "mph"), ("radian", "rad radian radians"));

    /// <summary>The unit's usual name; null for a word that is none.</summary>
    public static string? Unit(string word) => Units.GetValueOrDefault(word.ToLowerInvariant());

    private static FrozenSet<string> Set(string words) => words.Split(' ').ToFrozenSet(StringComparer.Ordinal);

    private static FrozenDictionary<string, string> Of(params (string Name, string Words)[] names) =>
        names.SelectMany(unit => unit.Words.Split(' ').Select(word => (word, unit.Name))).ToFrozenDictionary(pair => pair.word, pair => pair.Name, StringComparer.Ordinal);
}
