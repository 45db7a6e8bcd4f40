"""The spans that this process records, kept in a list in place of being sent."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from common.telemetry import spans, tracing
from common.telemetry.spans import Span
from common.telemetry.tracing import Tracer


@contextmanager
def recorded(ratio: float) -> Iterator[list[Span]]:
    """`ratio` of the traces are sampled. No span is at hand in the beginning."""
    found: list[Span] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "_tracer", Tracer(found.extend, ratio))
        outer = spans.current.set(None)
        yield found
        spans.current.reset(outer)
