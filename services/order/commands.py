"""What can be done with the order database from the command line, beside serving."""

from services.chassis import database_commands
from services.chassis.migrations import CHASSIS

MIGRATIONS = (CHASSIS, ("order", "services.order.adapters.piccolo_migrations"))


COMMANDS = (
    database_commands.migrate_command("order", *MIGRATIONS),
    database_commands.outbox_commands("order"),
)
