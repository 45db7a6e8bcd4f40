"""The images' HEALTHCHECK: exit 0 when every address given answers 2xx within two seconds.

Standard library alone, since the images hold neither curl nor wget, and started with `python -I -S`, which
takes some 20 ms. Usage: healthcheck.py http://127.0.0.1:4000/health/ready [...]
"""

import http.client
import sys
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 2.0


def main(addresses: list[str]) -> int:
    if not addresses:
        print("usage: healthcheck.py URL [URL ...]", file=sys.stderr)
        return 2
    for address in addresses:
        fault = _fault(address)
        if fault:
            print(f"{address}: {fault}", file=sys.stderr)
            return 1
    return 0


def _fault(address: str) -> str | None:
    """Why `address` is not well, or None. `docker inspect` shows it as the probe's output."""
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", url.path or "/", headers={"User-Agent": "healthcheck"})
        answer = connection.getresponse()
        body = answer.read(2048).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as fault:
        return str(fault) or type(fault).__name__
    finally:
        connection.close()
    return None if 200 <= answer.status < 300 else f"{answer.status} {body}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
