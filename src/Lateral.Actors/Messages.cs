using Akka.Actor;

namespace Lateral.Actors;

/// <summary>A message between actors that may live on different nodes. It has a protobuf form and a manifest of its own.</summary>
public interface IRemoteMessage;

/// <summary>A message that never leaves its node, so it may hold what cannot be sent: exceptions, paths, engines' results.</summary>
internal interface ILocalMessage : INoSerializationVerificationNeeded;
