namespace Lateral.Chaos.Deployment;

/// <summary>Where everything of one soak lies. Each node has a folder of its own, as on a machine of its own; only the meeting place is shared.</summary>
internal sealed class Files(string root)
{
    public const string Run = "soak";

    public string Root => root;

    public string RunConf => Path.Combine(root, "run.conf");

    public string ClusterConf => Path.Combine(root, "cluster.conf");

    public string Certificates => Path.Combine(root, "certs");

    public string Meeting => Path.Combine(root, "meet");

    public string Reference => Path.Combine(root, "reference");

    public string NodeOf(string node) => Path.Combine(root, "nodes", node);

    public string RunsOf(string node) => Path.Combine(NodeOf(node), "runs");

    public string RunOf(string node) => Path.Combine(RunsOf(node), Run);

    public string PoliciesOf(string node) => Path.Combine(NodeOf(node), "policies");

    public string LogOf(string node) => Path.Combine(root, $"{node}.log");

    public string ClockOf(string node) => Path.Combine(root, $"{node}.clock");

    public string FailpointsOf(string node) => Path.Combine(root, "failpoints", node);

    public static string CheckpointIn(string runs, int step) => Path.Combine(runs, Run, "checkpoints", $"step_{step}");
}
