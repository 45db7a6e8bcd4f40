"""Keeps packages out of the process that nothing in it uses. Imported first by each `__main__`, for its effect.

Litestar loads its plugin for pydantic, and purgatory its store in Redis, wherever the package happens to be installed
(Piccolo brings the one, devstack the other): 16 MB in every process, a fifth of a service. Told that the package is
not there, both do without, as they do where it is not installed.
"""

import sys

UNUSED = ("pydantic", "pydantic_core", "redis")

for name in UNUSED:
    sys.modules[name] = None  # type: ignore[assignment]  # import then raises ModuleNotFoundError
