"""Keeps pydantic out of the process. `__main__` imports this module first.

Litestar loads its pydantic plugin where pydantic is installed, as in devstack. It costs 9 MB and nothing here uses it.
"""

import sys

for _name in ("pydantic", "pydantic_core"):
    sys.modules[_name] = None  # type: ignore[assignment]  # import then raises ModuleNotFoundError
