"""Preconditions that the gateway passes on under another name, so that nginx does not judge them."""

import pytest

from kong.plugins.preconditions import UPSTREAM_NAMES
from services.chassis.middleware import _restore_preconditions


@pytest.mark.parametrize(("name", "moved"), UPSTREAM_NAMES.items())
def test_each_name_that_the_gateway_gives_is_read_as_what_it_stands_for(name: str, moved: str) -> None:
    sent = [(moved.lower().encode(), b'"1"'), (b"accept", b"*/*")]
    assert _restore_preconditions(dict(sent), sent) == [(name.encode(), b'"1"'), (b"accept", b"*/*")]
