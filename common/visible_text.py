"""Text that people type: a name, a street, a description. What it must be, and its one stored form.

Blank is Unicode's idea of it, not ASCII's: a name of U+200B or U+3164 shows nothing either. What shows nothing and only
turns or hides what stands around it (bidi controls, zero-width spaces) is taken out without a word, since people paste
it unseen from other programs. Control characters, which nobody types, are refused.
docs/decisions/0051-visible-text.md says why.
"""

import re
import unicodedata

from common.field_codes import InvalidValue

_TAKEN_OUT = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Soft hyphen, zero-width space and its like, Hangul fillers of single letters, bidi controls (UAX #9), annotations.
Joiners (U+200C, U+200D), variation selectors and tags stay: scripts and emoji are spelt with them."""

_SPACES = str.maketrans(dict.fromkeys("\u2800\u3164\uffa0", " "))
"""Look like a space and are none to Unicode: the empty Braille pattern and the Hangul fillers."""

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point (UAX #44) that has a category of visible characters."""

_SHOWS_NOTHING = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})
_REFUSED = frozenset({"Cc", "Cs", "Co"})


def line(text: str, longest: int) -> str:
    """`text` as it is stored: NFC, in one line, single spaces inside and none around, nothing taken for a space.

    Raises InvalidValue: `blank`, `too_long` (more than `longest` code points), `forbidden_characters`.
    """
    clean = unicodedata.normalize("NFC", " ".join(without_invisible(text).translate(_SPACES).split()))
    if any(unicodedata.category(character) in _REFUSED or _noncharacter(character) for character in clean):
        raise InvalidValue("forbidden_characters")
    if is_blank(clean):
        raise InvalidValue("blank")
    if len(clean) > longest:
        raise InvalidValue("too_long", max=longest)
    return clean


def paragraphs(text: str, longest: int) -> str:
    """As `line`, of several lines; blank lines stand alone between others, and none at the ends. May be empty.

    Raises InvalidValue: `too_long`, `forbidden_characters`.
    """
    kept: list[str] = []
    for piece in text.splitlines():
        clean = "" if is_blank(piece) else line(piece, longest)
        if clean or (kept and kept[-1]):
            kept.append(clean)
    joined = "\n".join(kept).rstrip("\n")
    if len(joined) > longest:
        raise InvalidValue("too_long", max=longest)
    return joined


def is_blank(text: str) -> bool:
    """Whether nothing of `text` shows. Marks alone (U+0301) are no text either: they need a letter to sit on."""
    return not any(_shows(character) for character in text)


def without_invisible(text: str) -> str:
    """`text` without the characters that show nothing and that people paste unseen."""
    return _TAKEN_OUT.sub("", text)


def _shows(character: str) -> bool:
    if character == "\u2800" or _IGNORABLE.match(character):
        return False
    return unicodedata.category(character) not in _SHOWS_NOTHING


def _noncharacter(character: str) -> bool:
    point = ord(character)
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
