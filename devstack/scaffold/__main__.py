"""`python -m devstack.scaffold NAME [--database]`: writes a new service into this checkout.

The files come from the templates beside this one (`stored` with a database, `plain` without); then the blocks of other
files are generated as `make generate` does.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from devstack import declaration as declared
from devstack.declaration import FILE, ROOT, Declaration, declaration
from devstack.errors import DevstackError

TEMPLATES = Path(__file__).parent
GATEWAY = "kong.yml.template"
FIRST_PORT, STEP = 7300, 100
LONGEST_NAME = 24
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LAST_SERVICE = "# ----- Plugins of the gateway"

ENTRY = """[processes.$name]
kind = "service"
port = $port
${database}calls = { auth = "upstreams" }
memory = { limit = "256m", small = "80m" }

"""
ROUTE = """  - name: $name
    url: "$${${NAME}_URL}"
    connect_timeout: 2000
    write_timeout: 10000
    read_timeout: 10000
    retries: 1
    plugins: [*token-validator]
    routes:
      - name: $name
        paths: [/api/$path]
        strip_path: false
      - name: $name-idempotency-key
        paths: [/api/$path]
        strip_path: false
        headers: {Idempotency-Key: *any-value}
        plugins: *answer-repeats

"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m devstack.scaffold", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--database", action="store_true", help="with a database, a table and a migration")
    asked = parser.parse_args(arguments)
    try:
        made = scaffold(asked.name, stored=asked.database, now=datetime.now(UTC))
    except DevstackError as fault:
        print(fault, file=sys.stderr)
        return 1
    for file in made:
        print(f"written {file}")
    declared.declaration.cache_clear()
    # Only now: it reads the settings of the service that has just been written.
    from devstack.generate.__main__ import main as generate  # noqa: PLC0415

    return generate(check=False)


def scaffold(name: str, *, stored: bool, now: datetime) -> list[str]:
    """Writes the files and edits the two that every service has a part in. Raises DevstackError."""
    found = declaration()
    _refuse_name(name, found)
    values = {
        "name": name,
        "Name": "".join(word.capitalize() for word in name.split("_")),
        "NAME": name.upper(),
        "path": name.replace("_", "-"),
        "port": str(_free_port(found)),
        "stamp": now.strftime("%Y_%m_%dt%H_%M_%S_000000"),
        "id": now.strftime("%Y-%m-%dT%H:%M:%S:000000"),
        "database": f'database = "{name}"\n' if stored else "",
    }
    kind = "stored" if stored else "plain"
    places = {"service": f"services/{name}", "tests": f"tests/{'stores' if stored else 'unit'}/{name}"}
    written = []
    for target, text in list(_files(TEMPLATES / kind, places, values)):
        file = ROOT / target
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(target)
    _insert(FILE, _LAST_SERVICE, Template(ENTRY).substitute(values))
    _insert(GATEWAY, "plugins:\n", Template(ROUTE).substitute(values))
    return [*written, FILE, GATEWAY]


def _files(templates: Path, places: dict[str, str], values: dict[str, str]) -> Iterator[tuple[str, str]]:
    for template in sorted(templates.rglob("*.template")):
        first, *rest = template.relative_to(templates).parts
        target = "/".join([places[first], *rest]).removesuffix(".template")
        yield (
            target.replace("NAME", values["name"]).replace("STAMP", values["stamp"]),
            Template(template.read_text(encoding="utf-8")).substitute(values),
        )


def _refuse_name(name: str, found: Declaration) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST_NAME:
        raise DevstackError(
            f"{name!r} cannot be a service's name: at most {LONGEST_NAME} small letters, digits and single underscores"
        )
    taken = {*found.processes, *(process.database for process in found.stored), "kong", "postgres", "redis"}
    if name in taken or (ROOT / "services" / name).exists():
        raise DevstackError(f"there is a {name} already")


def _free_port(found: Declaration) -> int:
    taken = {process.port for process in found.processes.values()}
    return next(port for port in range(FIRST_PORT, 65535, STEP) if port not in taken)


def _insert(file: str, before: str, text: str) -> None:
    """Puts `text` in front of the line that begins with `before`."""
    content = (ROOT / file).read_text(encoding="utf-8")
    at = content.index(f"\n{before}") + 1
    (ROOT / file).write_text(content[:at] + text + content[at:], encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
