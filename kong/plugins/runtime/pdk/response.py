"""`kong.response`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from kong.plugins.runtime import messages
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.pdk.calls import Event, HeaderValue, Question, bounded, call, named
from kong.plugins.runtime.pdk.headers import struct

# A method as Kong reads it: the frame of its name, and of the empty argument where it takes none.
_ADD_HEADER = frame(b"kong.response.add_header")
_CLEAR_HEADER = frame(b"kong.response.clear_header")
_CTX_SHARED_SET = frame(b"kong.ctx.shared.set")
_EXIT = frame(b"kong.response.exit")
_GET_HEADER = frame(b"kong.response.get_header")
_GET_HEADERS = frame(b"kong.response.get_headers")
_GET_SOURCE = frame(b"kong.response.get_source") + EMPTY
_GET_STATUS = frame(b"kong.response.get_status") + EMPTY
_SET_HEADER = frame(b"kong.response.set_header")
_SET_HEADERS = frame(b"kong.response.set_headers")
_SET_STATUS = frame(b"kong.response.set_status")


HANDED_OVER = "answer"
"""The name in `kong.ctx.shared` under which the gateway's post-function finds an answer to give."""


class Response:
    """`kong.response`: what the client gets."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_status(self) -> Question[int]:
        """The status as it stands. Phases: response."""
        return Question(self._event, _GET_STATUS, messages.integer)

    def get_header(self, name: str) -> Question[str | None]:
        """The first value of a header; None if absent. Phases: response."""
        return Question(self._event, named(_GET_HEADER, name), messages.optional_text)

    def get_headers(self, max_headers: int = 100) -> Question[dict[str, Value]]:
        """The headers, names in lower case, a list where one repeats; the upstream's included. Phases: response."""
        return Question(self._event, bounded(_GET_HEADERS, max_headers), messages.struct)

    def get_source(self) -> Question[str]:
        """`service` if the upstream answered, `exit` if a plugin did, `error` if Kong did. Phases: response."""
        return Question(self._event, _GET_SOURCE, messages.text)

    def set_status(self, status: int) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(call(_SET_STATUS, messages.encode_integer(status)))

    def set_header(self, name: str, value: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(call(_SET_HEADER, messages.encode_pair(name, value)))

    def add_header(self, name: str, value: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(call(_ADD_HEADER, messages.encode_pair(name, value)))

    def clear_header(self, name: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(named(_CLEAR_HEADER, name))

    def set_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        """Set each header, over what was there. Phases: rewrite, access, response."""
        self._event.tell(call(_SET_HEADERS, struct(headers)))

    def exit(
        self, status: int, body: bytes | str = b"", headers: Mapping[str, HeaderValue] | None = None
    ) -> NoReturn:
        """Answer the client now; nothing goes upstream. Raises to end the phase. Phases: rewrite, access, response.

        In `response` it replaces the upstream's status and body.
        """
        self._event.exit(call(_EXIT, messages.encode_exit(status, body, struct(headers) if headers else b"")))

    def hand_over(self, key: str, status: int, body: bytes, headers: Mapping[str, HeaderValue]) -> NoReturn:
        """Leave the answer in `kong.ctx.shared[key]`, for a Lua function of the gateway's to answer with. Raises to
        end the phase. Phases: rewrite, access.

        With an `exit` Kong loses its connection to the plugin, and opening another is half of what it costs. Plugins
        of lower priority run before the function, and where there is no function the request goes on: an answer that
        something depends on says before that it goes to nobody (`kong.service.set_target`).
        """
        self._event.hand_over(
            call(_CTX_SHARED_SET, messages.encode_answer(key, status, body, struct(headers)))
        )
