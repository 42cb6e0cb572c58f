using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Tensors;

/// <summary>
/// The arithmetic that product code uses instead of TorchSharp's operators and one-argument overloads.
/// </summary>
/// <remarks>
/// `x * 2.0`, `x.pow(2)`, `x.add(y)` and `x + y` build a hidden <see cref="Scalar"/> that the garbage collector may finalize while the
/// native call reads it: a use-after-free that ends long runs. Here every scalar is owned until its call has returned, and `alpha = 1`
/// is a single object that is never collected. In-place forms return nothing, so that no caller disposes its own operand by accident.
/// </remarks>
public static class TensorOps
{
    // Never disposed: native code reads it from every thread.
    private static readonly Scalar One = 1L.ToScalar();

    /// <summary>a + b</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a + scale * b</summary>
    public static Tensor PlusScaled(this Tensor a, Tensor b, double scale)
    {
        using var alpha = scale.ToScalar();
        return a.add(b, alpha);
    }

    /// <summary>a + value, element by element</summary>
    public static Tensor Plus(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        return a.add(scalar, One);
    }

    /// <summary>a + value in whole numbers</summary>
    public static Tensor Plus(this Tensor a, long value)
    {
        using var scalar = value.ToScalar();
        return a.add(scalar, One);
    }

    /// <summary>a with b[i] added to its row index[i], for every i</summary>
    public static Tensor PlusAt(this Tensor a, Tensor index, Tensor b) => a.index_add(0, index, b, One);

    /// <summary>a - b</summary>
    public static Tensor Minus(this Tensor a, Tensor b) => a.sub(b);

    /// <summary>a - value, element by element</summary>
    public static Tensor Minus(this Tensor a, double value) => a.Plus(-value);

    /// <summary>a * b, element by element with broadcasting</summary>
    public static Tensor Times(this Tensor a, Tensor b) => a.mul(b);

    /// <summary>a * value</summary>
    public static Tensor Times(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        return a.mul(scalar);
    }

    /// <summary>a * value in whole numbers</summary>
    public static Tensor Times(this Tensor a, long value)
    {
        using var scalar = value.ToScalar();
        return a.mul(scalar);
    }

    /// <summary>a / b, element by element with broadcasting</summary>
    public static Tensor DividedBy(this Tensor a, Tensor b) => a.div(b);

    /// <summary>a / value</summary>
    public static Tensor DividedBy(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        return a.div(scalar);
    }

    /// <summary>a * a</summary>
    public static Tensor Squared(this Tensor a) => a.mul(a);

    /// <summary>a where the mask is false, value where it is true</summary>
    public static Tensor Filled(this Tensor a, Tensor mask, double value)
    {
        using var scalar = value.ToScalar();
        return a.masked_fill(mask, scalar);
    }

    /// <summary>a &lt;= value, element by element</summary>
    public static Tensor AtMost(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        return a.le(scalar);
    }

    /// <summary>a &gt; value, element by element</summary>
    public static Tensor Above(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        return a.gt(scalar);
    }

    /// <summary>a limited to [low, high]</summary>
    public static Tensor Limited(this Tensor a, double low, double high)
    {
        using var min = low.ToScalar();
        using var max = high.ToScalar();
        return a.clamp(min, max);
    }

    /// <summary>a limited to [low, high] in whole numbers</summary>
    public static Tensor Limited(this Tensor a, long low, long high)
    {
        using var min = low.ToScalar();
        using var max = high.ToScalar();
        return a.clamp(min, max);
    }

    /// <summary>a += scale * b</summary>
    public static void AddInPlace(this Tensor a, Tensor b, double scale = 1)
    {
        using var alpha = scale.ToScalar();
        a.add_(b, alpha);
    }

    /// <summary>a += value</summary>
    public static void AddInPlace(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        a.add_(scalar, One);
    }

    /// <summary>a *= b</summary>
    public static void MultiplyInPlace(this Tensor a, Tensor b) => a.mul_(b);

    /// <summary>a *= value</summary>
    public static void MultiplyInPlace(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        a.mul_(scalar);
    }

    /// <summary>a += scale * b * c</summary>
    public static void AddProductInPlace(this Tensor a, Tensor b, Tensor c, double scale = 1)
    {
        using var value = scale.ToScalar();
        a.addcmul_(b, c, value);
    }

    /// <summary>a += scale * b / c</summary>
    public static void AddQuotientInPlace(this Tensor a, Tensor b, Tensor c, double scale = 1)
    {
        using var value = scale.ToScalar();
        a.addcdiv_(b, c, value);
    }

    /// <summary>a = value everywhere</summary>
    public static void FillInPlace(this Tensor a, double value)
    {
        using var scalar = value.ToScalar();
        a.fill_(scalar);
    }
}
