using System.Diagnostics;

namespace Lateral.Benchmarks.Measuring;

/// <summary>Seconds of wall and of CPU time, the latter of all threads of this process: other processes inflate only the first.</summary>
internal readonly record struct Cost(double Wall, double Cpu)
{
    /// <summary>Since the process started; differences of two readings are costs.</summary>
    public static Cost Now => new(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency, Environment.CpuUsage.TotalTime.TotalSeconds);

    public static Cost operator +(Cost a, Cost b) => new(a.Wall + b.Wall, a.Cpu + b.Cpu);

    public static Cost operator -(Cost a, Cost b) => new(a.Wall - b.Wall, a.Cpu - b.Cpu);

    public static Cost operator /(Cost a, double by) => new(a.Wall / by, a.Cpu / by);
}

/// <summary>A pair of measurements taken one directly after the other, so that a busy machine slows both.</summary>
internal readonly record struct Pair(Cost Product, Cost Bare)
{
    public double WallRatio => Product.Wall / Bare.Wall;

    public double CpuRatio => Product.Cpu / Bare.Cpu;
}
