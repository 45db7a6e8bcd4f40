"""The languages that people are spoken to in, and which of them somebody asks for."""

from collections.abc import Iterable

LANGUAGES = ("ko", "en")
DEFAULT = "en"


def preferred(chosen: str | None, accepted: str) -> str:
    """One of LANGUAGES: the person's own choice, else the best of `Accept-Language` (RFC 9110 §12.5.4), else
    English."""
    if chosen in LANGUAGES:
        return chosen
    ranked = sorted(_ranges(accepted), key=lambda pair: -pair[1])
    return next((tag for tag, weight in ranked if tag in LANGUAGES and weight > 0), DEFAULT)


def _ranges(header: str) -> Iterable[tuple[str, float]]:
    for item in header[:1000].split(","):
        tag, _, parameters = item.partition(";")
        name, _, weight = parameters.strip().partition("=")
        try:
            yield tag.strip().lower().split("-")[0], float(weight) if name == "q" else 1.0
        except ValueError:
            continue
