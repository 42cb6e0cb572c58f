using System.Globalization;
using System.Text.Json;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Persistence.Sql;
using Lateral.Core.Runs;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Akka's own configuration, as JSON: Akka's parser never sees a user's file. The user's <c>akka {}</c> section lies on top.
/// Connection strings are no part of it, because Akka may log it: <see cref="Journal.ToSetup"/> hands them over.
/// </summary>
internal static class AkkaConfiguration
{
    public const string JournalPlugin = "akka.persistence.journal.sql";
    public const string SnapshotPlugin = "akka.persistence.snapshot-store.sql";

    /// <summary>
    /// Bytes become objects only through closed tables. Akka's default serializer creates whatever type a message names, and
    /// only <c>none</c> keeps it from reading; so it is with those of foreign protobuf types and of remote deployment.
    /// </summary>
    public const string Serialization = """
        "serialization-settings": { "allow-unregistered-types": "off" },
        "serializers": {
          "json": "none", "proto": "none", "daemon-create": "none",
          "akka-misc": "Lateral.Actors.Serialization.ClosedMiscSerializer, Lateral.Actors",
          "akka-system-msg": "Lateral.Actors.Serialization.ClosedSystemMessageSerializer, Lateral.Actors",
          "lateral": "Lateral.Actors.Serialization.EventSerializer, Lateral.Actors",
          "lateral-messages": "Lateral.Actors.Serialization.MessageSerializer, Lateral.Actors"
        },
        "serialization-identifiers": {
          "Lateral.Actors.Serialization.EventSerializer, Lateral.Actors": 7001,
          "Lateral.Actors.Serialization.MessageSerializer, Lateral.Actors": 7002,
          "Lateral.Actors.Serialization.ClosedMiscSerializer, Lateral.Actors": 7003,
          "Lateral.Actors.Serialization.ClosedSystemMessageSerializer, Lateral.Actors": 7004
        },
        "serialization-bindings": {
          "Lateral.Core.Runs.IRunEvent, Lateral.Core": "lateral",
          "Lateral.Core.Runs.IGroupEvent, Lateral.Core": "lateral",
          "Lateral.Core.Runs.RunLedger, Lateral.Core": "lateral",
          "Lateral.Actors.IRemoteMessage, Lateral.Actors": "lateral-messages",
          "Lateral.Core.Runs.PartStatus, Lateral.Core": "lateral-messages",
          "Lateral.Core.Runs.LedgerStatus, Lateral.Core": "lateral-messages",
          "Lateral.Core.Runs.RunStatus, Lateral.Core": "lateral-messages"
        }
        """;

    /// <param name="journal">null on a node that does not touch it</param>
    public static Config For(RunSettings settings, RunNode node, Journal? journal) =>
        // Not even the user's own akka section takes the encryption away again.
        ConfigurationFactory.ParseString(settings.Tls is null ? "{}" : """{ "akka": { "remote": { "dot-netty": { "tcp": { "enable-ssl": true } } } } }""")
            .WithFallback(ConfigurationFactory.ParseString($$"""{ "akka": {{(settings.AkkaOverrides.Length == 0 ? "{}" : settings.AkkaOverrides)}} }"""))
            .WithFallback(ConfigurationFactory.ParseString(Ours(settings, node, journal)))
            .WithFallback(SqlPersistence.DefaultConfiguration)
            .WithFallback(ClusterSharding.DefaultConfig())
            .WithFallback(ClusterSingleton.DefaultConfig())
            .WithFallback(Akka.DistributedData.DistributedData.DefaultConfig());

    /// <summary>
    /// Of a torn cluster the part with most coordinators goes on: without one nobody can work, and where most samplers die at once the
    /// others must not stop, too. Of two coordinators neither is the majority when one dies, so then all nodes count. Nodes that
    /// come and go one after the other, as under preemption, are no reason to stop all.
    /// </summary>
    private static string Ours(RunSettings settings, RunNode node, Journal? journal) => $$"""
        {
          "lateral": { "log-file": {{Quote(Path.Combine(settings.Directory, "logs", node.LogFile))}} },
          "akka": {
            "loglevel": "INFO",
            "stdout-loglevel": "OFF",
            "stdout-logger-class": "Lateral.Actors.Hosting.SilentLogger, Lateral.Actors",
            "loggers": ["Lateral.Actors.Hosting.FileLogger, Lateral.Actors"],
            "log-dead-letters": 0,
            "log-dead-letters-during-shutdown": "off",
            "actor": { "provider": "cluster", {{Serialization}} },
            "remote": {
              "untrusted-mode": "on",
              "trusted-selection-paths": [{{string.Join(", ", NodeActors.TrustedPaths(settings).Select(Quote))}}],
              "dot-netty": { "tcp": { "hostname": {{Quote(settings.Topology.Host)}}, "port": {{settings.Topology.Port}}, "maximum-frame-size": "1048576b" } }
            },
            "cluster": {
              "roles": [{{string.Join(", ", node.RoleNames.Concat(RunCompatibility.Marks(settings)).Select(Quote))}}],
              "seed-node-timeout": "1s",
              "retry-unsuccessful-join-after": "500ms",
              "failure-detector": { "acceptable-heartbeat-pause": {{Milliseconds(settings.Topology.Cluster.HeartbeatPause)}} },
              "gossip-interval": "200ms",
              "leader-actions-interval": "200ms",
              "periodic-tasks-initial-delay": "200ms",
              "downing-provider-class": "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster",
              "split-brain-resolver": {
                "active-strategy": "keep-majority", "keep-majority": { "role": {{Quote(MajorityOf(settings.Topology))}} },
                "stable-after": {{Milliseconds(settings.Topology.Cluster.StableAfter)}}, "down-all-when-unstable": {{Milliseconds(10 * settings.Topology.Cluster.StableAfter)}}
              },
              "singleton": { "hand-over-retry-interval": "200ms" },
              "singleton-proxy": { "singleton-identification-interval": "200ms", "buffer-size": 10000 },
              "sharding": {
                "role": "coordinator",
                "remember-entities": "on",
                "remember-entities-store": "eventsourced",
                "state-store-mode": "ddata",
                "passivate-idle-entity-after": "off",
                "number-of-shards": 8,
                "retry-interval": "500ms",
                "entity-restart-backoff": "1s",
                "shard-failure-backoff": "1s",
                "coordinator-failure-backoff": "1s",
                "distributed-data": { "durable": { "keys": [] } }
              }
            },
            "persistence": {
              "journal": {
                "plugin": "{{JournalPlugin}}",
                "sql": {
                  "provider-name": {{Quote(journal?.Provider ?? "")}},
                  "parallelism": {{journal?.Parallelism ?? 1}},
                  "circuit-breaker": { "max-failures": 5, "call-timeout": "15s", "reset-timeout": "5s" },
                  "replay-filter": { "mode": "fail" }
                }
              },
              "snapshot-store": {
                "plugin": "{{SnapshotPlugin}}",
                "sql": {
                  "provider-name": {{Quote(journal?.Provider ?? "")}},
                  "circuit-breaker": { "max-failures": 5, "call-timeout": "15s", "reset-timeout": "5s" }
                }
              }
            },
            "coordinated-shutdown": {
              "exit-clr": "off", "run-by-clr-shutdown-hook": "off", "terminate-actor-system": "on",
              "phases": { "{{BrokenHandshakes.Phase}}": { "timeout": "365d" } }
            }
          }
        }
        """;

    /// <summary>Whose majority decides; empty = that of all nodes.</summary>
    private static string MajorityOf(TopologySettings topology) => topology.Roles.GetValueOrDefault("coordinator")?.Nodes == 2 ? "" : "coordinator";

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"\"{time.TotalMilliseconds:0}ms\"");

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
