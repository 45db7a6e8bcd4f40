"""An asyncio plugin server for Kong Gateway: Python plugins over ProtoBuf:1, failing closed.

Imports nothing of the rest of the project. Start at `pdk` to write a plugin, at `worker.py` to read the server.
"""
