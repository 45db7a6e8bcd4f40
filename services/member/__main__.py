"""`python -m services.member`: serves members."""

from services.chassis.serve import serve
from services.member.app import build
from services.member.settings import Settings

if __name__ == "__main__":
    serve("member", Settings, build)
