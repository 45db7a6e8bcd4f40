"""Which variables each process reads, from its own settings: what else a person has set is not for it."""

from __future__ import annotations

from functools import cache

import msgspec

from frontend_proxy import settings as frontend
from services.auth.settings import Settings as Auth
from services.bff.settings import Settings as Bff
from services.catalog.settings import Settings as Catalog
from services.chassis.settings import ServiceSettings, describe
from services.member.settings import Settings as Member

_SERVICES: dict[str, type[ServiceSettings]] = {"auth": Auth, "member": Member, "catalog": Catalog, "bff": Bff}


@cache
def names(process: str) -> frozenset[str]:
    """The variables of auth, member, catalog, bff or frontend_proxy."""
    if process == "frontend_proxy":
        fields = (field.name for field in msgspec.structs.fields(frontend.Settings))
        return frozenset(frontend.VARIABLES.get(field, field.upper()) for field in fields)
    return frozenset(variable.name for variable in describe(_SERVICES[process]))
