"""The schema that is derived from a `Config`, held against Kong's own code where Kong is installed.

It takes the schema, and it takes and refuses the same values as the plugin.
"""

import json
import shutil
import subprocess
from typing import Any

import msgspec
import pytest

from kong.plugins.idempotency.config import Config as Idempotency
from kong.plugins.runtime import configuration
from kong.plugins.runtime.errors import ConfigError
from kong.plugins.token_validator.config import Config as TokenValidator

pytestmark = pytest.mark.skipif(
    not (shutil.which("kong") and shutil.which("resty")), reason="kong and its resty are not on the PATH"
)

ASK = """
setmetatable(_G, nil)
package.path = (os.getenv("KONG_LUA_PATH_OVERRIDE") or "") .. "./?.lua;./?/init.lua;" .. package.path
require("kong.globalpatches")({cli = true})
local cjson = require "cjson.safe"
cjson.decode_array_with_array_mt(true)
local asked = assert(cjson.decode(io.read("*a")))
local accepted, reason = require("kong.db.schema.metaschema").MetaSubSchema:validate(asked.schema)
local schema = assert(require("kong.db.schema").new(asked.schema))
local answers = {}
for index, config in ipairs(asked.configs) do
  answers[index] = (schema:validate(schema:process_auto_fields({config = config}, "insert"))) and true or false
end
print(cjson.encode({accepted = accepted and true or false, reason = reason, answers = answers}))
"""

NEEDED: dict[str, dict[str, Any]] = {
    "idempotency": {},
    "token-validator": {"issuer": "i", "audience": "a", "jwks_url": "http://auth/keys"},
}
CONFIGS: dict[str, type[msgspec.Struct]] = {"idempotency": Idempotency, "token-validator": TokenValidator}
VALUES: dict[str, list[dict[str, Any]]] = {
    "idempotency": [
        {},
        {"redis_url": "redis://redis:6379/0"},
        {"redis_url": "http://redis"},
        *({"ttl": value} for value in (1, 0, 31536000, 31536001, 1.5, 5.0, "1", True)),
        *({"wait": value} for value in (0, 30, 30.5, -0.1)),
        *({"methods": value} for value in ([], ["POST"], ["POST\n"], ["post"], [""], "POST")),
        *({"header_names": value} for value in (["Idempotency-Key"], [], ["a b"])),
        *({"store_statuses": value} for value in (["2xx", "!404"], ["5xx"], ["200 "], [])),
        *({"on_store_error": value} for value in ("reject", "accept", "maybe", "")),
        *({"required": value} for value in (True, False, "yes", 1)),
    ],
    "token-validator": [
        {},
        {"issuer": ""},
        {"issuer": None},
        {"jwks_url": "ftp://x"},
        *({"algorithms": value} for value in (["ES256", "RS512"], ["HS256"], ["none"], [])),
        *({"jwks_timeout": value} for value in (0.1, 1.5, 1.51, 0)),
        *({"required_scopes": value} for value in (["members:read", "a_b.c-d"], ["a b"], [""])),
        *({"realm": value} for value in ("a b", 'a"b', "")),
        *({"cache_size": value} for value in (0, 1000000, 1000001, 2.5)),
    ],
}


@pytest.mark.parametrize("name", CONFIGS)
def test_kong_takes_the_schema_and_refuses_what_the_plugin_refuses(name: str) -> None:
    schema = {
        "name": name,
        "fields": [{"config": {"type": "record", "fields": configuration.schema(CONFIGS[name])}}],
    }
    configs = [NEEDED[name] | values for values in VALUES[name]]
    finished = subprocess.run(
        ["resty", "-e", ASK],
        input=json.dumps({"schema": schema, "configs": configs}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    kong = json.loads(finished.stdout)
    assert kong["accepted"], kong.get("reason")
    ours = [_read(CONFIGS[name], config) for config in configs]
    different = [
        values
        for values, theirs, here in zip(VALUES[name], kong["answers"], ours, strict=True)
        if theirs != here
    ]
    assert different == []
    assert {True, False} == set(ours)


def _read(kind: type[msgspec.Struct], given: dict[str, Any]) -> bool:
    try:
        configuration.read(kind, given)
    except ConfigError:
        return False
    return True
