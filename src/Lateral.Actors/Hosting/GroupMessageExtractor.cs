using System.Globalization;
using Akka.Cluster.Sharding;
using Lateral.Actors.Rollouts;

namespace Lateral.Actors.Hosting;

/// <summary>A group's entity id is its ordinal; consecutive groups spread over the shards.</summary>
internal sealed class GroupMessageExtractor(int shards) : IMessageExtractor
{
    public string? EntityId(object message) => (message as IGroupMessage)?.Group.ToString(CultureInfo.InvariantCulture);

    public object? EntityMessage(object message) => message;

    public string? ShardId(object message) => message is IGroupMessage group ? Shard(group.Group) : null;

    public string ShardId(string entityId, object? messageHint = null) => Shard(long.Parse(entityId, CultureInfo.InvariantCulture));

    private string Shard(long ordinal) => (ordinal % shards).ToString(CultureInfo.InvariantCulture);
}
