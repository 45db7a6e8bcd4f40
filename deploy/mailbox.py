"""Development only: a page of the mails that auth wrote to files, newest first. Usage: mailbox.py DIRECTORY

Standard library alone, on the stock image of Python. Shows a mail's text and never its HTML, which could run.
"""

import html
import re
import sys
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8025
SHOWN = 100
MAX_BYTES = 1024 * 1024
LINK = re.compile(r"https?://[^\s<>\"]+")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = (
    "body{font:1rem/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"
)


def page(directory: Path) -> str:
    """The newest mails of `directory` as one page."""
    files = sorted(
        (file for file in directory.iterdir() if file.suffix == ".eml"), key=_written, reverse=True
    )
    mails = "".join(_article(file) for file in files[:SHOWN]) or "<p>No mail yet.</p>"
    return f"<!doctype html><meta charset=utf-8><title>Mailbox</title><style>{STYLE}</style><h1>Mailbox</h1>{mails}"


def _written(file: Path) -> float:
    return file.stat().st_mtime


def _article(file: Path) -> str:
    with file.open("rb") as content:
        mail = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(content.read(MAX_BYTES))
    subject, to = (html.escape(str(mail[name] or "")) for name in ("Subject", "To"))
    part = mail.get_body(("plain",))
    text = _linked(str(part.get_content())) if part else ""
    return f"<article><h2>{subject}</h2><p>To {to}</p><pre>{text}</pre></article>"


def _linked(text: str) -> str:
    """`text` escaped, its http addresses as links."""
    pieces, end = [], 0
    for link in LINK.finditer(text):
        address = html.escape(link[0])
        pieces += [html.escape(text[end : link.start()]), f'<a href="{address}" rel=noreferrer>{address}</a>']
        end = link.end()
    return "".join([*pieces, html.escape(text[end:])])


class Mailbox(BaseHTTPRequestHandler):
    directory: Path
    timeout = 10  # seconds that a caller may take

    def do_GET(self) -> None:
        if self.path != "/":
            self.send_error(404)
            return
        body = page(self.directory).encode()
        self.send_response(200)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", POLICY),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: there is one reader, and they see the page."""


if __name__ == "__main__":
    Mailbox.directory = Path(sys.argv[1])
    ThreadingHTTPServer(("0.0.0.0", PORT), Mailbox).serve_forever()
