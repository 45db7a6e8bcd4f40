"""Which new passwords are accepted: NIST SP 800-63B §5.1.1.2 (revision 3), and nothing beyond it.

Length, a list of the commonest, and no word of the account itself; no rules of composition, no expiry.
Signing in applies none of these: a password that was accepted once stays usable.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise

from services.auth.domain.errors import UnacceptablePassword

SHORTEST = 8
LONGEST = 256  # NIST asks for at least 64 to be allowed; the bound keeps the work of normalising small
_DECOMPOSED = (
    4  # code points of one character before normalising, at most: what is longer is not even looked at
)
_CONTEXT = frozenset({"gatehouse"})  # the service's own name
_SHORTEST_WORD = 4


def normalise(password: str) -> str:
    """NFKC (SP 800-63B §5.1.1.2), so that one password typed on two keyboards is one password."""
    return unicodedata.normalize("NFKC", password)


def accept(password: str, about: Iterable[str] = ()) -> str:
    """The normalised password, if it may be set. `about`: e-mail address and name of its owner.

    Length counts code points after normalising. Raises UnacceptablePassword.
    """
    if len(password) > LONGEST * _DECOMPOSED:
        raise UnacceptablePassword("too_long", max=LONGEST)
    normal = normalise(password)
    if len(normal) < SHORTEST:
        raise UnacceptablePassword("too_short", min=SHORTEST)
    if len(normal) > LONGEST:
        raise UnacceptablePassword("too_long", max=LONGEST)
    folded = normal.casefold()
    if folded in commonest():
        raise UnacceptablePassword("password_common")
    if _is_run(folded):
        raise UnacceptablePassword("password_repetitive")
    if not _words(about).isdisjoint((folded, _core(folded))):
        raise UnacceptablePassword("password_personal")
    return normal


@cache
def commonest() -> frozenset[str]:
    text = files("services.auth.domain").joinpath("commonest_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _is_run(text: str) -> bool:
    """Whether every character follows from the one before by the same step of -1, 0 or 1."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def _core(text: str) -> str:
    """Without the digits and signs around it, which make `gatehouse2026!` of a word and nothing harder to guess."""
    letters = [at for at, character in enumerate(text) if character.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else text


def _words(about: Iterable[str]) -> set[str]:
    """What is known of the owner, as it may be typed; shorter words may be in any good password."""
    words = set(_CONTEXT)
    for text in about:
        folded = normalise(text).casefold()
        words |= {folded, folded.replace(" ", ""), folded.partition("@")[0]}
    words |= {_core(word) for word in words}
    return {word for word in words if len(word) >= _SHORTEST_WORD}
