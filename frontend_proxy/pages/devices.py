"""Devices by the names that their owners use. Guesswork on User-Agent (RFC 9110 §10.1.5), for showing only."""

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def name(agent: str) -> str:
    """`Chrome · macOS`; the agent's first word where nothing is known of it; empty for none."""
    browser = next((found for mark, found in _BROWSERS if mark in agent), "")
    system = next((found for mark, found in _SYSTEMS if mark in agent), "")
    return (
        " · ".join(part for part in (browser, system) if part) or agent.split("/", maxsplit=1)[0].strip()[:60]
    )
