"""Kong's side of ProtoBuf:1: calls a plugin server as Kong 3.9 does, for the stand-in gateway and for tests."""
