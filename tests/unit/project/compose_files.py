"""Reads a compose file as Compose merges it: each service with what it extends. No Docker needed."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
COMPOSE_FILES = ("compose.yaml", "compose.prod.yaml")


class _Strict(yaml.SafeLoader):
    """Refuses a key that is there twice, as Compose does; PyYAML alone takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice and not any(key.value == "<<" for key, _ in node.value):
            raise ValueError(f"{node.start_mark}: twice: {', '.join(sorted(twice))}")
        return super().construct_mapping(node, deep)


def load(name: str, profile: str = "") -> dict[str, Any]:
    """The file `name` of the repository root, every `extends` resolved one level deep, as it is used here.

    Without the services of any profile but this one, and without networks that only they have.
    """
    file = ROOT / name
    content: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), _Strict)
    every = {key: _resolved(service, file) for key, service in content["services"].items()}
    apart = {key for key, service in every.items() if profile not in service.get("profiles", [profile])}
    content["services"] = {key: service for key, service in every.items() if key not in apart}
    used = {network for service in content["services"].values() for network in service.get("networks", ())}
    others = {network for key in apart for network in every[key].get("networks", ())} - used
    if others:
        content["networks"] = {k: v for k, v in content["networks"].items() if k not in others}
    return content


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def interpolated(text: str, **variables: str) -> str:
    """`text` as Compose reads it where these variables are set and no others: the rest are their defaults."""
    pattern = r"\$\{([A-Z][A-Z0-9_]*):-((?:[^{}]|\$\{[^{}]*\})*)\}"
    return re.sub(pattern, lambda match: variables.get(match[1]) or interpolated(match[2], **variables), text)


def published(service: dict[str, Any]) -> list[tuple[str, str]]:
    """(address on this machine, container port) of each published port; an empty address is every one."""
    ports = []
    for text in service.get("ports", []):
        outside, _, inside = str(text).rpartition(":")
        address = outside.split(":", 1)[0] if outside.count(":") and outside[0].isdigit() else ""
        ports.append((address, inside))
    return ports


def _resolved(service: dict[str, Any], file: Path) -> dict[str, Any]:
    origin = service.get("extends")
    if origin is None:
        return service
    base = yaml.load((file.parent / origin["file"]).read_text(encoding="utf-8"), _Strict)["services"][
        origin["service"]
    ]
    merged = {**base, **{key: value for key, value in service.items() if key != "extends"}}
    merged["environment"] = {**base.get("environment", {}), **service.get("environment", {})}
    merged["volumes"] = [*base.get("volumes", []), *service.get("volumes", [])]
    return merged
