"""The blocks of all files but the compose files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devstack.declaration import ROOT, Declaration
from devstack.generate.blocks import Blocks


def blocks(found: Declaration) -> Mapping[str, Blocks]:
    """By file and name."""
    services = [service.package for service in found.services]
    plugins = [plugin.package for plugin in found.plugins]
    layered = [s for s in services if (ROOT / s.replace(".", "/") / "domain").is_dir()]
    return {
        ".importlinter": {
            "services": services,
            "services again": services,
            "plugins": plugins,
            "plugins again": plugins,
            "layered services": layered,
            "pure packages": [
                f"{service}.{layer}" for service in layered for layer in ("domain", "application")
            ],
        },
        "deploy/redis/users.acl": {"clients": list(_redis_users(found))},
        "deploy/make_secrets.py": {"names": [f'"{name.lower()}",' for name in found.secrets()]},
        ".env.example": {
            "ports": [f"#{p.port_variable}={p.port}" for p in found.of_kind("service", "aid")],
            "addresses": [f"#{p.prefix}_URL=http://127.0.0.1:{p.port}" for p in found.services],
            "database passwords": [
                f"#{p.database_variable}_PASSWORD={found.secrets()[f'{p.database_variable}_PASSWORD']}"
                for p in found.stored
            ],
            "database addresses": [
                f"#{p.database_variable}_URL=postgresql://{p.database}@postgres:5432/{p.database}"
                for p in found.stored
            ],
            "redis passwords": [
                f"#{p.redis_password}={found.secrets()[p.redis_password]}" for p in found.redis_users
            ],
            "redis addresses": [
                f"#{p.prefix}_REDIS_URL=redis://{p.name}@redis:6379/0" for p in found.redis_users
            ],
        },
        ".github/workflows/release.yml": {"images": list(_images(found))},
    }


def _redis_users(found: Declaration) -> Iterable[str]:
    for process in found.redis_users:
        user = process.redis
        if user is not None:
            keys = " ".join(f"~{key}" for key in user.keys)
            yield f"# {process.name}: {user.note}"
            yield f"user {process.name} on #{process.redis_password} resetchannels {keys} {user.rights}"


def _images(found: Declaration) -> Iterable[str]:
    targets = {"service": "service", "plugin": "plugins", "front": "proxy"}
    for process in found.of_kind(*targets):
        service = f", service: {process.name}" if process.kind == "service" else ""
        service += f", files: {process.files.path}" if process.files else ""
        image = process.name.replace("_", "-")
        yield f"- {{ image: {image}, target: {targets[process.kind]}, lock: {process.lock}{service} }}"
