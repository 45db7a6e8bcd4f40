"""`python -m services.auth` serves auth; with a command (`--help` lists them) it does that instead."""

import sys

from services.auth import commands
from services.auth.app import build
from services.auth.settings import Settings
from services.chassis.serve import serve

arguments = commands.parser().parse_args()
if arguments.command:
    sys.exit(commands.run(arguments))
serve("auth", Settings, build)
