using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// Product code may not reference calls that read a scalar after the garbage collector may have freed it, that end the process on bad
/// shapes, or that draw from a process-wide generator.
/// </summary>
public class BannedCallTests
{
    private static readonly HashSet<string> GlobalRandom = new(StringComparer.Ordinal)
    {
        "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "multinomial", "bernoulli", "bernoulli_", "normal", "normal_",
        "uniform_", "exponential_", "cauchy_", "geometric_", "log_normal_", "random_", "poisson", "dropout", "dropout_", "alpha_dropout", "manual_seed",
    };

    private static readonly Lazy<HashSet<Call>> HiddenScalars = new(FindHiddenScalars);

    [Fact]
    public void Diffusion_must_not_reference_a_banned_call() => Assert.Empty(Violations(typeof(TensorOps).Assembly.Location));

    [Fact]
    public void Scan_must_detect_every_kind_of_banned_call()
    {
        var found = Violations(typeof(BannedCallTests).Assembly.Location);
        string[] expected = ["op_Addition", "op_Implicit", "op_UnaryNegation", "pow", "square", "matmul", "add", "multinomial", "manual_seed", "SGD", "tensor"];
        foreach (var name in expected)
            Assert.Contains(found, call => call.Name == name);
        Assert.DoesNotContain(found, call => call.Name is "mm" or "sub" or "mul");
    }

    [Fact]
    public void Scan_must_know_which_TorchSharp_methods_hide_a_scalar()
    {
        Assert.Contains(new Call("torch.Tensor", "add", "torch.Tensor"), HiddenScalars.Value);
        Assert.Contains(new Call("torch.Tensor", "square", ""), HiddenScalars.Value);
        Assert.DoesNotContain(new Call("torch.Tensor", "add", "torch.Tensor, Scalar"), HiddenScalars.Value);
    }

    private static List<Call> Violations(string assembly)
    {
        using var scan = new CallScan(assembly);
        return [.. scan.References().Where(IsBanned)];
    }

    private static bool IsBanned(Call call) =>
        (call.Type == "Scalar" && call.Name == "op_Implicit")
        || (call.Type == "torch.Tensor" && call.Name.StartsWith("op_", StringComparison.Ordinal))
        || (call.Type is "torch" or "torch.Tensor" or "torch.linalg" && call.Name is "matmul" or "cummax" or "cummin")
        || (call.Type == "torch" && call.Name is "tensor" or "from_array" or "frombuffer" or "as_tensor") // managed memory: see HostTensor
        || (call.Type is "torch" or "torch.Tensor" && call.Name == "pow" && call.Parameters.EndsWith("Scalar", StringComparison.Ordinal))
        || call.Type.StartsWith("torch.optim", StringComparison.Ordinal)
        || call.Type.StartsWith("torch.random", StringComparison.Ordinal)
        || call.Type.StartsWith("torch.nn.init", StringComparison.Ordinal)
        || (call.Type.StartsWith("torch", StringComparison.Ordinal) && GlobalRandom.Contains(call.Name))
        || HiddenScalars.Value.Contains(call);

    // A method hides a scalar when its body converts a number implicitly, or calls one that does.
    private static HashSet<Call> FindHiddenScalars()
    {
        using var scan = new CallScan(typeof(torch).Assembly.Location);
        var bodies = scan.Bodies().ToList();
        var hidden = bodies.Where(body => body.Callees.Any(callee => callee is { Type: "Scalar", Name: "op_Implicit" })).Select(body => body.Caller).ToHashSet();
        while (bodies.Where(body => !hidden.Contains(body.Caller) && body.Callees.Any(hidden.Contains)).Select(body => body.Caller).ToList() is { Count: > 0 } more)
            hidden.UnionWith(more);
        return hidden;
    }

    // Compiled so that the scan of this assembly has something to find; never run.
    internal static Tensor EveryBannedCall(Tensor x)
    {
        var sgd = optim.SGD([new TorchSharp.Modules.Parameter(x)], 0.1);
        sgd.step();
        manual_seed(1);
        x = x.mul(tensor(new[] { 1f }));
        return matmul(-x + x, x.pow(2).square()).add(x).mul(2.0f).sub(x).mm(multinomial(x, 1));
    }
}
