using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Lateral.Node.Checkup;

namespace Lateral.Node.Tests;

public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Doctor_must_find_a_machine_that_runs_these_tests_well()
    {
        var (code, findings) = await ExamineAsync();
        Assert.Equal(0, code);
        foreach (var subject in new[] { "system", ".NET", "SDK", "libtorch", "symbols", "devices", "sandbox", "loopback", "runs folder", "clock" })
            Assert.True(findings[subject].GetProperty("well").GetBoolean(), subject);
        Assert.StartsWith("10.", findings["SDK"].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_must_check_what_a_configuration_asks_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (code, findings) = await ExamineAsync(
            Fixtures.Hocon("quickstart.conf"), "--set", $"topology.port = {port}", "--set", "topology.roles.learner.device = \"cuda:98\"", "--set", "learner.micro-batch-tokens = 16777216", "--set", "model.size.layers = 128");
        Assert.Equal(3, code);
        Assert.Contains($"port {port} on 127.0.0.1 is in use", findings["port"].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("cuda:98 does not exist", findings["device"].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("the run needs about", findings["memory"].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_that_is_too_small_or_cannot_be_written_must_be_bad()
    {
        var small = Assert.Single(FolderCheck.Of(_folder.Path, long.MaxValue), finding => !finding.Well);
        Assert.Contains("free and a run needs 8192 PiB", small.Text, StringComparison.Ordinal);
        if (!OperatingSystem.IsLinux()) return;
        var (code, findings) = await ExamineAsync("--runs-dir", "/proc/lateral-runs");
        Assert.Equal(3, code);
        Assert.Contains("cannot be written", findings["runs folder"].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    private async Task<(int Code, Dictionary<string, JsonElement> Findings)> ExamineAsync(params string[] arguments)
    {
        string[] folder = arguments.Contains("--runs-dir") ? [] : ["--runs-dir", Path.Combine(_folder.Path, "runs")];
        var (code, output, _) = await Shell.RunAsync(["doctor", .. arguments, .. folder, "--json"]);
        // The last finding of a subject: a configuration may use several devices.
        return (code, JsonElement.Parse(output).EnumerateArray().GroupBy(finding => finding.GetProperty("subject").GetString()!).ToDictionary(group => group.Key, group => group.Last()));
    }
}
