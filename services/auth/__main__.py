"""`python -m services.auth`: serves auth."""

from services.auth.app import build
from services.auth.settings import Settings
from services.chassis.serve import serve

serve("auth", Settings, build)
