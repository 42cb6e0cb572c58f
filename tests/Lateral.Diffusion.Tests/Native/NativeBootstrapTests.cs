using Lateral.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class NativeBootstrapTests
{
    [Fact]
    public void Bootstrap_must_give_a_torch_that_computes()
    {
        using var scope = NewDisposeScope();
        var product = tensor(new[] { 1f, 2f, 3f, 4f }, 2, 2).mm(tensor(new[] { 5f, 6f, 7f, 8f }, 2, 2));
        Assert.Equal([19f, 22f, 43f, 50f], product.data<float>().ToArray());
    }

    [Fact]
    public async Task Bootstrap_must_load_once_for_all_threads()
    {
        var backends = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => NativeBootstrap.Load())));
        Assert.All(backends, backend => Assert.Same(backends[0], backend));
        Assert.True(File.Exists(Path.Combine(backends[0].LibtorchDirectory, LibtorchLocator.FileName("torch_cpu"))));
        Assert.True(File.Exists(backends[0].LibTorchSharpPath));
    }

    [Fact]
    public void Bootstrap_must_refuse_a_second_libtorch()
    {
        var error = Assert.Throws<NativeBackendException>(() => NativeBootstrap.Load("/somewhere/else"));
        Assert.Contains("already loaded", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locator_must_not_replace_a_folder_that_was_asked_for()
    {
        var empty = Directory.CreateTempSubdirectory().FullName;
        var error = Assert.Throws<NativeBackendException>(() => LibtorchLocator.FindLibtorch(empty));
        Assert.Contains(empty, error.Message, StringComparison.Ordinal);
        Assert.Contains("torch/lib", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locator_must_accept_the_root_of_a_PyTorch_installation()
    {
        var packages = Directory.CreateTempSubdirectory().FullName;
        var lib = Directory.CreateDirectory(Path.Combine(packages, "torch", "lib")).FullName;
        File.WriteAllBytes(Path.Combine(lib, LibtorchLocator.FileName("torch_cpu")), []);
        Assert.Equal(lib, LibtorchLocator.FindLibtorch(packages).Directory);
        Assert.Equal(lib, LibtorchLocator.FindLibtorch(Path.Combine(packages, "torch")).Directory);
    }

    [Fact]
    public void Build_must_not_copy_libtorch_beside_the_program() =>
        Assert.Empty(Directory.EnumerateFiles(AppContext.BaseDirectory, LibtorchLocator.FileName("torch_cpu"), SearchOption.AllDirectories));
}
