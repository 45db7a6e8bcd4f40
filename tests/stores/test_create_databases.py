"""deploy/postgres/create-databases.sh: any printable password becomes a role's password, by SQL and not by chance."""

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from common.address import with_password
from devstack.postgres import Postgres, binaries
from devstack.settings import ROOT
from tests.nasty_passwords import PASSWORDS

SCRIPT = (ROOT / "deploy/postgres/create-databases.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["variable", "file"])
async def test_any_printable_password_signs_in(postgres_server: Postgres, tmp_path: Path, way: str) -> None:
    server = f"127.0.0.1:{postgres_server.port}"
    creations, variables = [], {}
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{number}"
        variable = name.upper()
        creations.append(f'create {name} "$(password {variable})"')
        if way == "variable":
            variables[variable] = password
        else:
            (tmp_path / name).write_text(password + "\n", encoding="utf-8")
            variables[f"{variable}_FILE"] = str(tmp_path / name)
    # The functions of the script as they are; the databases of the product would be in the way of other tests.
    functions = SCRIPT[: SCRIPT.index("\npsql ")]
    script = tmp_path / "create.sh"
    script.write_text("\n".join([functions, *creations, ""]), encoding="utf-8")
    subprocess.run(
        ["sh", str(script)],
        env={
            **variables,
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            "POSTGRES_USER": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres_server.port),
            "PGPASSWORD": postgres_server.password,
        },
        check=True,
        capture_output=True,
    )
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{number}"
        connection = await asyncpg.connect(
            with_password(f"postgresql://{name}@{server}/{name}", password, ("postgresql",))
        )
        assert await connection.fetchval("SELECT current_user") == name
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://nasty_{way}_0:{quote(PASSWORDS[1], safe='')}@{server}/postgres")
