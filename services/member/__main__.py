"""`python -m services.member` serves members; see commands.py for `outbox`, `migrate` and `seed-load`."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.chassis.serve import serve
from services.member import commands
from services.member.app import build
from services.member.settings import Settings

if __name__ == "__main__":
    serve(
        "member",
        Settings,
        build,
        commands={
            "outbox": commands.outbox,
            "migrate": commands.migrate_now,
            "seed-load": commands.seed_load,
        },
    )
