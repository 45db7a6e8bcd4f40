"""Forms with files (RFC 7578), read as they arrive and never kept beyond a limit.

A file that is too large is read to its end and thrown away: a browser shows no answer while it still sends, and the
shopkeeper is to be told what to do. The edge bounds the whole body (`FRONTEND_MAX_BODY`).
"""

from typing import NamedTuple

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.problems import Problem

MAX_FILE = 1024 * 1024
"""Bytes of one file, as the gateway and the catalog take it."""
MAX_FILES = 10
MAX_TEXT = 16 * 1024
"""Bytes of all other fields together."""
MAX_PARTS = 50


class File(NamedTuple):
    """`content` is None where it was larger than MAX_FILE."""

    name: str
    media_type: str
    content: bytes | None


class Upload(NamedTuple):
    form: Form
    files: list[File]


async def read(request: PageRequest) -> Upload:
    """The form and its files; fields for a file that hold none are left out. Raises Problem 415, 413 or 400."""
    kind, parameters = request.content_type
    boundary = parameters.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise Problem(415, "", "Files are sent as multipart/form-data.")
    reading = _Reading()
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    reading.take(event)
                if parser.closed:
                    break
    except (MultipartError, UnicodeDecodeError) as fault:
        raise Problem(400, "", "The form cannot be read.") from fault
    return Upload(Form(reading.fields), reading.files)


class _Reading:
    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[File] = []
        self._part: MultipartSegment | None = None
        self._content = bytearray()
        self._too_large = False
        self._texts = 0

    def take(self, event: object) -> None:
        if isinstance(event, MultipartSegment):
            self._part, self._content, self._too_large = event, bytearray(), False
        elif isinstance(event, bytes | bytearray):
            self._add(event)
        elif self._part is not None:
            self._keep(self._part)

    def _add(self, chunk: bytes | bytearray) -> None:
        if self._too_large or self._part is None:
            return
        self._content += chunk
        if self._part.filename is None:
            self._texts += len(chunk)
            if self._texts > MAX_TEXT:
                raise Problem(
                    413, "request-too-large", f"Its fields are at most {MAX_TEXT} bytes.", close=True
                )
        elif len(self._content) > MAX_FILE:
            self._too_large = True
            self._content = bytearray()

    def _keep(self, part: MultipartSegment) -> None:
        content = None if self._too_large else bytes(self._content)
        if part.filename is None:
            self.fields[part.name] = bytes(self._content).decode()
        elif part.filename or content or self._too_large:
            if len(self.files) == MAX_FILES:
                raise Problem(413, "request-too-large", f"At most {MAX_FILES} files are taken at once.")
            self.files.append(File(part.filename, part.content_type or "", content))
