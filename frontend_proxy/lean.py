"""Keeps pydantic out of the process. Imported first by `__main__`, for its effect.

Litestar loads its plugin for pydantic wherever that is installed (Piccolo brings it to devstack): 9 MB that nothing
here uses. Told that the package is not there, Litestar does without.
"""

import sys

for _name in ("pydantic", "pydantic_core"):
    sys.modules[_name] = None  # type: ignore[assignment]  # import then raises ModuleNotFoundError
