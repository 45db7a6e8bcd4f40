"""What the running compose project weighs: memory of each container, size of each image, as a Markdown table.

    docker compose up --build --wait && python -m bench.footprint

Memory is what the engine counts against a container's limit (its processes, and the page cache that it cannot give
back), after the stack has been left alone for a minute. COMPOSE_FILE chooses the project, as for docker compose.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

SETTLE_SECONDS = 60
MIB = 1024 * 1024
BASE_IMAGE = os.environ.get("PYTHON_IMAGE", "python:3.13-slim-bookworm")
UNITS = {"B": 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}


def main() -> int:
    containers = list(_json_lines("docker", "compose", "ps", "--all", "--format", "json"))
    if unwell := [each["Service"] for each in containers if each["State"] != "running"]:
        print(f"not running, so the sum would be short: {', '.join(unwell)}", file=sys.stderr)
    if not containers or unwell:
        print("bring everything up: docker compose up --build --wait", file=sys.stderr)
        return 1
    time.sleep(SETTLE_SECONDS)
    names = [container["Name"] for container in containers]
    memory = {
        row["Name"]: _bytes(row["MemUsage"].split(" / ")[0])
        for row in _json_lines("docker", "stats", "--no-stream", "--format", "{{json .}}", *names)
    }
    print("| service | memory, MiB | image above its base, MB |\n| --- | --- | --- |")
    for container in sorted(containers, key=lambda item: -memory[item["Name"]]):
        print(
            f"| {container['Service']} | {memory[container['Name']] / MIB:.0f} | {_image(container['Image'])} |"
        )
    print(f"| all | {sum(memory.values()) / MIB:.0f} | |")
    return 0


def _image(name: str) -> str:
    """What our images add to the Python image below them; nothing for those of others."""
    if "/gatehouse-" not in name:
        return ""
    sizes = [
        next(_json_lines("docker", "image", "inspect", "--format", "{{.Size}}", image))
        for image in (name, BASE_IMAGE)
    ]
    return f"{(sizes[0] - sizes[1]) / 1e6:.0f}"


def _json_lines(*command: str) -> Iterator[Any]:
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        yield json.loads(line)


def _bytes(text: str) -> float:
    """`43.25MiB` in bytes."""
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * UNITS[unit]


if __name__ == "__main__":
    sys.exit(main())
