namespace Lateral.Diffusion.Decoding;

/// <summary>
/// How often ReMDM masks decoded tokens again (Wang et al., arXiv 2503.00307). Time runs from 1, where everything is masked, to 0; alpha is the share of tokens that are decoded at a time.
/// </summary>
public abstract record RemaskingSchedule
{
    /// <summary>1 - t unless time is told otherwise; it never falls as time runs.</summary>
    internal virtual double Alpha(double time) => 1 - time;

    /// <summary>The probability with which the step from a time masks a decoded token again.</summary>
    /// <param name="largest">with which as many are decoded as the step may decode</param>
    internal abstract double Sigma(double time, double largest);

    /// <summary>The probability is shared out among the decoded tokens, the least sure first, and not each one's.</summary>
    internal virtual bool SharedOut => false;

    /// <exception cref="DecodingException">a number out of its range</exception>
    internal abstract void Require();

    private protected static void Share(string name, double value)
    {
        if (!(value is >= 0 and <= 1)) throw new DecodingException($"{name} {value} must be 0 to 1");
    }
}

/// <summary>A fixed probability, where it is possible.</summary>
/// <param name="Eta">0 to 1; 0 = nothing is masked again, which is ancestral sampling</param>
public sealed record CappedRemasking(double Eta = .008) : RemaskingSchedule
{
    internal override double Sigma(double time, double largest) => Math.Min(Eta, largest);

    internal override void Require() => Share("eta", Eta);
}

/// <summary>A fixed part of the largest possible probability.</summary>
/// <param name="Eta">0 to 1</param>
public sealed record RescaledRemasking(double Eta = .015) : RemaskingSchedule
{
    internal override double Sigma(double time, double largest) => Eta * largest;

    internal override void Require() => Share("eta", Eta);
}

/// <summary>
/// The largest possible probability, shared out by softmax(-p) of what the decoded tokens' probabilities were when they were decoded. As published, masked positions are decoded as if nothing was masked
/// again: a step leaves more masks than its time has.
/// </summary>
public sealed record RemaskingByConfidence : RemaskingSchedule
{
    internal override bool SharedOut => true;

    internal override double Sigma(double time, double largest) => largest;

    internal override void Require()
    {
    }
}

/// <summary>Ancestral sampling to a level, a time at that level in which as many tokens are masked again as are decoded, and ancestral sampling to the end.</summary>
/// <param name="Eta">0 to the largest that the level allows, (1 - level) / level</param>
public sealed record LoopedRemasking(double Eta = .02) : RemaskingSchedule
{
    /// <summary>The time at which the level is reached.</summary>
    public double On { get; init; } = .55;

    /// <summary>The time at which it is left; before the other, which is a larger number.</summary>
    public double Off { get; init; } = .05;

    /// <summary>Share of tokens that are decoded there.</summary>
    public double Level { get; init; } = .9;

    internal override double Alpha(double time) => time > On ? Level * (1 - time) / (1 - On) : time > Off ? Level : 1 - ((1 - Level) * time / Off);

    internal override double Sigma(double time, double largest) => time <= On && time > Off ? Math.Min(Eta, largest) : 0;

    internal override void Require()
    {
        if (!(Off > 0 && Off < On && On < 1 && Level is > 0 and < 1)) throw new DecodingException($"a loop at level {Level} from time {On} to {Off} needs 1 > on > off > 0 and a level between 0 and 1");
        Share("eta", Eta);
        if (Eta > (1 - Level) / Level) throw new DecodingException($"eta {Eta} must be at most {(1 - Level) / Level:g3} at level {Level}: more cannot be decoded again");
    }
}

/// <summary>
/// One step of ReMDM's posterior, from time t to s: a decoded token is masked again with probability sigma, a masked one is decoded with
/// (alpha_s - (1 - sigma) alpha_t) / (1 - alpha_t). Where alpha_t of the tokens are decoded before it, alpha_s are after it, whatever sigma is.
/// </summary>
/// <param name="Sigma">0 to min(1, (1 - alpha_s) / alpha_t)</param>
internal readonly record struct RemaskingStep(double Sigma, double Decode)
{
    public static RemaskingStep Of(RemaskingSchedule schedule, double t, double s)
    {
        var (before, after) = (schedule.Alpha(t), schedule.Alpha(s));
        var sigma = schedule.Sigma(t, before > 0 ? Math.Min(1, (1 - after) / before) : 1);
        return new(sigma, (after - ((1 - (schedule.SharedOut ? 0 : sigma)) * before)) / (1 - before));
    }
}
