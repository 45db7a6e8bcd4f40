"""Whether kong.yml.template would start a gateway: rendered, held against every plugin and against gatehouse.toml.

For editors and pipelines. Kong itself has the last word; what this refuses, Kong would refuse as well.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devstack import declared_routes
from devstack.caller_headers import refuse_unlike_callers
from devstack.declaration import declaration
from devstack.errors import PrepareError
from devstack.gateway import declarative
from devstack.gateway.attachments import attach
from devstack.gateway.entities import ConfigError, Configuration
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway_functions import refuse_replaced_functions
from devstack.private_answers import refuse_shared_caches
from devstack.route_twins import refuse_unlike_twins
from devstack.settings import ROOT

# Any addresses will do: nothing is connected to.
VALUES = {
    **{f"{p.prefix}_URL": f"http://{p.name}:{p.port}" for p in declaration().routed},
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "gatehouse",
}
PLUGINS = tuple(plugin.name for plugin in declaration().plugins)


def check(template: Path, environment: Mapping[str, str]) -> Configuration:
    """The configuration. Raises PrepareError with every unset variable, or with the first mistake."""
    with tempfile.TemporaryDirectory() as directory:
        rendered = Path(directory) / "kong.yml"
        finished = subprocess.run(
            ["sh", str(ROOT / "kong" / "render.sh"), str(template), str(rendered)],
            env={**environment, **VALUES},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise PrepareError(finished.stderr.strip())
        try:
            configuration = declarative.load(rendered)
            attach(configuration, plugin_servers(), OwnAnswers({}))
            refuse_shared_caches(configuration)
            refuse_replaced_functions(configuration)
            refuse_unlike_twins(configuration)
            refuse_unlike_callers(configuration)
        except ConfigError as error:
            place = f"{template}:{error.line}" if error.line else str(template)
            raise PrepareError(f"{place}: {error}") from error
    if wrong := list(declared_routes.faults(configuration, declaration())):
        raise PrepareError("\n".join(f"{template}: {fault}" for fault in wrong))
    return configuration


def plugin_servers() -> dict[str, str]:
    """Settings as for Kong, with dumps asked for instead of read; the sockets are not used."""
    settings = {"KONG_PLUGINSERVER_NAMES": ",".join(PLUGINS)}
    for name in PLUGINS:
        prefix = f"KONG_PLUGINSERVER_{name.upper().replace('-', '_')}"
        settings[f"{prefix}_SOCKET"] = "/nowhere"
        settings[f"{prefix}_QUERY_CMD"] = shlex.join([sys.executable, "-m", "kong.plugins", name, "--dump"])
    return settings
