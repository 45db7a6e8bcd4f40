"""The page of development's mails: newest first, links to follow, and nothing of a mail that could run."""

import os
from email.message import EmailMessage
from pathlib import Path

from deploy.mailbox import page


def put(directory: Path, name: str, subject: str, text: str, when: int) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["To"] = subject, "someone@example.com"
    mail.set_content(text)
    mail.add_alternative("<script>alert(1)</script>", subtype="html")
    (directory / name).write_bytes(bytes(mail))
    os.utime(directory / name, (when, when))


def test_mails_are_shown_newest_first_with_their_links(tmp_path: Path) -> None:
    put(tmp_path, "1.eml", "First", "Open https://localhost:3000/reset?token=a&b=c now", 1)
    put(tmp_path, "2.eml", "비밀번호 <b>", "안녕하세요", 2)
    shown = page(tmp_path)
    assert shown.index("비밀번호 &lt;b&gt;") < shown.index("First")
    address = "https://localhost:3000/reset?token=a&amp;b=c"
    assert f'<a href="{address}" rel=noreferrer>{address}</a> now' in shown
    assert "안녕하세요" in shown


def test_nothing_of_a_mail_runs(tmp_path: Path) -> None:
    put(tmp_path, "1.eml", "<script>", '<img src=x onerror=alert(1)> "', 1)
    shown = page(tmp_path)
    assert "<script" not in shown and "<img" not in shown


def test_an_empty_mailbox_says_so(tmp_path: Path) -> None:
    (tmp_path / "half-written").write_text("not a mail yet")
    assert "No mail yet." in page(tmp_path)
