"""The gateway's own Lua, run for real: `pre-function` and `post-function`, in a sandbox like Kong's.

A chunk that returns a function is run once, and the function at every request (kong/plugins/pre-function).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lupa.luajit21 import LuaRuntime

from devstack.gateway.entities import ConfigError
from devstack.gateway.marks import line_of
from devstack.gateway.pdk import Functions

# What a chunk sees besides `kong`: values in, values out, nothing of the machine.
_SANDBOX = """
return {
  assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall, select = select,
  tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, setmetatable = setmetatable,
  math = math, string = string, table = table, os = {clock = os.clock, date = os.date, time = os.time},
}
"""
_COMPILE = """
return function(source, name, sandbox)
  local chunk, reason = load(source, name, "t", sandbox)
  return chunk, reason
end
"""
# Kong's tables (kong.request.get_header ...) whose functions are those of the request at hand.
_INSTALL = """
return function(sandbox)
  local current = {}
  local function namespace(prefix)
    return setmetatable({}, {__index = function(_, key)
      local name = prefix .. key
      local found = current.functions[name]
      if found ~= nil then return found end
      if current.namespaces[name] then return namespace(name .. ".") end
    end})
  end
  sandbox.kong = namespace("kong.")
  sandbox.kong.ctx = {}
  return function(functions, namespaces, shared, private)
    current.functions, current.namespaces = functions, namespaces
    rawset(sandbox.kong, "ctx", {shared = shared, plugin = private})
  end
end
"""


def _placed(reason: str, source: str, line: int | None) -> tuple[str, int | None]:
    """Lua's reason without the place in it, and that as a line of the file, in which the source begins on `line`."""
    found = re.match(r'\[string ".*"\]:(\d+): ', reason)
    if found is None:
        return reason, line
    if line is not None and "\n" in source.rstrip("\n"):
        line += int(found[1])  # below the `- |`
    return reason[found.end() :], line


class LuaPlugin:
    """Compiled chunks of one attachment, by phase. Raises ConfigError for one that does not compile."""

    def __init__(self, name: str, chunks: Mapping[str, list[str]]) -> None:
        self._lua = LuaRuntime(
            encoding="latin-1", register_eval=False, register_builtins=False, unpack_returned_tuples=True
        )
        self._sandbox = self._lua.execute(_SANDBOX)
        compiler = self._lua.execute(_COMPILE)
        self._use = self._lua.execute(_INSTALL)(self._sandbox)
        self._handlers: dict[str, list[Callable[[], Any]]] = {}
        self._started = False
        for phase, sources in chunks.items():
            for number, source in enumerate(sources, start=1):
                compiled = compiler(source, source, self._sandbox)  # named by its first line, as Kong's
                chunk, reason = compiled if isinstance(compiled, tuple) else (compiled, None)
                if chunk is None:
                    said, line = _placed(str(reason), source, line_of(sources, number - 1))
                    raise ConfigError(f"plugin {name}: config.{phase}: {said}", line)
                self._handlers.setdefault(phase, []).append(chunk)

    def has(self, phase: str) -> bool:
        return phase in self._handlers

    def run(self, phase: str, functions: Functions, contexts: tuple[Any, Any]) -> None:
        """Run a phase's chunks. `contexts` are kong.ctx.shared and kong.ctx.plugin, from `context`.

        Raises what the functions raise, and LuaError.
        """
        namespaces = {
            name.rsplit(".", depth)[0] for name in functions for depth in range(1, name.count(".") + 1)
        }
        table = self._lua.table_from(
            {name: self._returning_tables(function) for name, function in functions.items()}
        )
        self._use(table, self._lua.table_from(dict.fromkeys(namespaces, True)), *contexts)
        handlers = self._handlers[phase]
        for position, handler in enumerate(handlers):
            result = handler()
            if callable(result):
                handlers[position] = result
                result()

    def context(self, values: Mapping[str, Any] | None = None) -> Any:
        """A Lua table for a request's kong.ctx.plugin or kong.ctx.shared, with these values in it."""
        return self._lua.table_from(dict(values or {}), recursive=True)

    def values(self, context: Any) -> dict[str, Any]:
        """What is in such a table."""
        return {key: self._to_python(value) for key, value in context.items()}

    def _returning_tables(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Python's containers become Lua's on the way back, and Lua's Python's on the way in."""

        def call(*arguments: Any) -> Any:
            result = function(*(self._to_python(argument) for argument in arguments))
            if isinstance(result, tuple):
                return tuple(self._to_lua(value) for value in result)
            return self._to_lua(result)

        return call

    def _to_lua(self, value: Any) -> Any:
        if isinstance(value, dict | list):
            return self._lua.table_from(value, recursive=True)
        return value.decode("latin-1") if isinstance(value, bytes) else value

    def _to_python(self, value: Any) -> Any:
        if hasattr(value, "items") and not isinstance(value, dict):
            pairs = dict(value.items())
            if pairs and all(isinstance(key, int) for key in pairs):
                return [self._to_python(pairs[key]) for key in sorted(pairs)]
            return {key: self._to_python(entry) for key, entry in pairs.items()}
        return value
