"""deploy/postgres/create-databases.sh: any printable password becomes a role's password, by SQL and not by chance."""

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
import yaml

from common.address import with_password
from devstack.observability.exporters import QUERIES
from devstack.postgres import Postgres, binaries
from devstack.settings import ROOT
from tests import alpine
from tests.nasty_passwords import PASSWORDS
from tests.stores.own_postgres import own_postgres


def run(server: Postgres, variables: dict[str, str], databases: str, path: str = os.environ["PATH"]) -> None:
    subprocess.run(
        ["sh", str(ROOT / "deploy/postgres/create-databases.sh")],
        env={
            **variables,
            "DATABASES": databases,
            "PATH": f"{binaries()}:{path}",
            "POSTGRES_USER": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
        },
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("whose", alpine.BOTH)
@pytest.mark.parametrize("way", ["variable", "file"])
async def test_any_printable_password_signs_in(
    postgres_server: Postgres, tmp_path: Path, way: str, whose: str
) -> None:
    path = alpine.search_path(whose, tmp_path / "programs")
    server = f"127.0.0.1:{postgres_server.port}"
    variables = {}
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{whose}_{number}"
        if way == "variable":
            variables[name.upper()] = password
        else:
            (tmp_path / name).write_text(password + "\n", encoding="utf-8")
            variables[f"{name.upper()}_FILE"] = str(tmp_path / name)
    names = [f"nasty_{way}_{whose}_{number}" for number in range(len(PASSWORDS))]
    run(postgres_server, variables, " ".join(f"{name}:{name.upper()}" for name in names), path)
    for number, password in enumerate(PASSWORDS):
        name = f"nasty_{way}_{whose}_{number}"
        connection = await asyncpg.connect(
            with_password(f"postgresql://{name}@{server}/{name}", password, ("postgresql",))
        )
        assert await connection.fetchval("SELECT current_user") == name
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://{names[0]}:{quote(PASSWORDS[1], safe='')}@{server}/postgres")


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


async def test_the_exporters_role_measures_each_database_and_reads_no_row() -> None:
    with own_postgres("other") as own:
        run(own.server, {"SHOP": "one", "POSTGRES_EXPORTER_PASSWORD": "measures"}, "shop:SHOP")
        address = f"127.0.0.1:{own.server.port}"
        owner = await asyncpg.connect(f"postgresql://shop:one@{address}/shop")
        await owner.execute("CREATE TABLE person (email text); INSERT INTO person VALUES ('kim@example.com')")
        await owner.close()
        queries = yaml.safe_load(QUERIES.read_text(encoding="utf-8"))
        for database in ("postgres", "shop"):
            connection = await asyncpg.connect(f"postgresql://exporter:measures@{address}/{database}")
            for name, each in queries.items():
                found = await connection.fetch(each["query"])
                columns = {column for metric in each["metrics"] for column in metric}
                assert all(set(row.keys()) == columns for row in found), name
                assert found or (name, database) == ("postgres_table", "postgres"), name
                assert "kim@example.com" not in str(found)
            await connection.execute("SET default_transaction_read_only = off")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE own (id int)")
            if database == "shop":
                for statement in ("SELECT * FROM person", "DELETE FROM person"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(statement)
            await connection.close()


async def test_without_its_password_there_is_no_role_for_the_exporter() -> None:
    with own_postgres("other") as own:
        run(own.server, {"SHOP": "one"}, "shop:SHOP")
        connection = await asyncpg.connect(own.server.url("postgres"))
        assert not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'exporter'")
        await connection.close()
