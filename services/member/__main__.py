"""`python -m services.member` serves members; `... outbox list|retry` looks after the orders to other services."""

from services.chassis import lean  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.chassis.outbox import command
from services.chassis.serve import serve
from services.member.app import build
from services.member.settings import Settings

if __name__ == "__main__":
    serve(
        "member",
        Settings,
        build,
        commands={"outbox": lambda settings, arguments: command.run(settings.database_url, arguments)},
    )
