"""The plugin of docs/writing-a-plugin.md, taken from the page: it runs, and its tests pass."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from devstack.throwaway import temporary_directory
from tests.kongside import served as harness

PAGE = Path(__file__).parents[3] / "docs" / "writing-a-plugin.md"
CODE = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of plugins that holds the page's module."""
    with temporary_directory() as directory:
        plugin = directory / "example_plugins" / "greeting"
        plugin.mkdir(parents=True)
        (plugin.parent / "__init__.py").touch()
        (plugin / "__init__.py").touch()
        (plugin / "plugin.py").write_text(CODE[0])
        (plugin.parent / "__main__.py").write_text(
            'from kong.plugins.runtime.cli import main\n\nraise SystemExit(main("example_plugins"))\n'
        )
        root = str(PAGE.parents[1])
        monkeypatch.setenv("PYTHONPATH", f"{directory}:{root}")
        yield "example_plugins"


async def test_the_page_s_plugin_passes_the_page_s_tests(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = harness.serving

    def from_the_page(name: str, **_: str) -> AbstractAsyncContextManager[harness.ServedPlugin]:
        return serving(name, package=package)

    monkeypatch.setattr(harness, "serving", from_the_page)
    namespace: dict[str, Any] = {}
    exec(compile(CODE[-1], str(PAGE), "exec"), namespace)
    tests: list[Callable[[], Awaitable[None]]] = [
        v for name, v in namespace.items() if name.startswith("test_")
    ]
    assert len(tests) == 2
    for test in tests:
        await test()
