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
from tests.stores.own_postgres import own_postgres


def run(server: Postgres, variables: dict[str, str], databases: str) -> None:
    subprocess.run(
        ["sh", str(ROOT / "deploy/postgres/create-databases.sh")],
        env={
            **variables,
            "DATABASES": databases,
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            "POSTGRES_USER": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
        },
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("way", ["variable", "file"])
async def test_any_printable_password_signs_in(postgres_server: Postgres, tmp_path: Path, way: str) -> None:
    server = f"127.0.0.1:{postgres_server.port}"
    variables = {}
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{number}"
        if way == "variable":
            variables[name.upper()] = password
        else:
            (tmp_path / name).write_text(password + "\n", encoding="utf-8")
            variables[f"{name.upper()}_FILE"] = str(tmp_path / name)
    names = [f"nasty_{way}_{number}" for number in range(len(PASSWORDS))]
    run(postgres_server, variables, " ".join(f"{name}:{name.upper()}" for name in names))
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{number}"
        connection = await asyncpg.connect(
            with_password(f"postgresql://{name}@{server}/{name}", password, ("postgresql",))
        )
        assert await connection.fetchval("SELECT current_user") == name
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://nasty_{way}_0:{quote(PASSWORDS[1], safe='')}@{server}/postgres")


async def test_each_start_makes_what_is_missing_takes_a_new_password_and_keeps_the_data(
    postgres_server: Postgres,
) -> None:
    run(postgres_server, {"FIRST": "one"}, "kept_first:FIRST")
    address = f"127.0.0.1:{postgres_server.port}"
    connection = await asyncpg.connect(f"postgresql://kept_first:one@{address}/kept_first")
    await connection.execute("CREATE TABLE note (text text); INSERT INTO note VALUES ('still here')")
    await connection.close()
    run(postgres_server, {"FIRST": "two", "SECOND": "new"}, "kept_first:FIRST kept_second:SECOND")
    connection = await asyncpg.connect(f"postgresql://kept_first:two@{address}/kept_first")
    assert await connection.fetchval("SELECT text FROM note") == "still here"
    await connection.close()
    connection = await asyncpg.connect(f"postgresql://kept_second:new@{address}/kept_second")
    assert await connection.fetchval("SELECT current_user") == "kept_second"
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"postgresql://kept_second:new@{address}/kept_first")


async def test_no_password_is_in_the_servers_log_whatever_it_logs() -> None:
    password = "not-for-the-servers-log"
    with own_postgres("other") as own:
        connection = await asyncpg.connect(own.server.url("postgres"))
        for setting in ("log_statement = 'all'", "log_min_duration_statement = 0"):
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()
        run(own.server, {"SHOP": password}, "shop:SHOP")
        logged = own.logged()
    assert "REVOKE CONNECT" in logged  # it does write statements down
    assert password not in logged
