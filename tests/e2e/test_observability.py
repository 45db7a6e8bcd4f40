"""The running stack, seen by a real Prometheus: every query finds something, and somebody hears of a part that is down.

One stack and one Prometheus for all of it, with windows of seconds in place of hours: so nothing here waits for long.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from devstack import settings
from devstack.declaration import declaration
from devstack.observability import observe, rules, scraping
from devstack.observability.dashboards import dashboards
from devstack.observability.dashboards.gateway import REAL_KONG
from devstack.observability.exporters import EXPORTERS, MAY_BE_MISSING
from devstack.observability.objectives import Objectives, objectives
from devstack.observability.panels import Panel
from devstack.throwaway import free_ports
from tests.e2e import checkouts
from tests.e2e.checkouts import Product, Shopper
from tests.e2e.local_stack import LocalStack
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.mail_server import mail_server
from tests.observability.tools import needs_alertmanager, needs_prometheus

pytestmark = [needs_prometheus, needs_alertmanager]

WITHIN = 60.0
"""Seconds that any machine needs for any one thing here, however busy it is."""
CARD = "4242424242424242"
ADDRESS = "ops@shop.example"
STORES_SPEAK = all(shutil.which(exporter.package) for exporter in EXPORTERS)
"""Debian's exporters are on this machine: then their queries have to find something, else not."""
JOBS = sorted(scraping.jobs(declaration().deployed()))


def quick(found: Objectives) -> Objectives:
    """The same table with windows of seconds, where nothing has to last."""
    windows = {"BurnsFast": ("10s", "5s"), "Burns": ("12s", "6s"), "BurnsSlowly": ("14s", "7s")}
    return msgspec.structs.replace(
        found,
        burn_rates=tuple(
            msgspec.structs.replace(rate, long=windows[rate.named][0], short=windows[rate.named][1])
            for rate in found.burn_rates
        ),
        conditions=tuple(msgspec.structs.replace(each, wait="0s") for each in found.conditions),
    )


TABLE = quick(objectives())


@dataclass
class Observing:
    stack: LocalStack
    prometheus: str
    alertmanager: str
    slack: list[dict[str, Any]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    def ask(self, expr: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expr}, timeout=30).json()
        assert answer["status"] == "success", f"{expr}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def firing(self) -> set[tuple[str, str]]:
        """Names, with the job or the objective that they name."""
        alerts = httpx.get(f"{self.prometheus}/api/v1/alerts", timeout=30).json()["data"]["alerts"]
        labels = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
        return {(each["alertname"], each.get("job") or each.get("objective") or "") for each in labels}


@pytest.fixture(scope="module")
def observing(
    stack: Stack, admin_session: Callable[[], Tokens], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observing]:
    if not isinstance(stack, LocalStack):
        pytest.skip("the stack runs in containers; this Prometheus watches local processes")
    directory = tmp_path_factory.mktemp("observability")
    [mail_port] = free_ports(1)
    with slack() as (slack_url, bodies), mail_server(mail_port) as mails:
        told = {
            "SLACK_WEBHOOK_URL": slack_url,
            "ALERT_MAIL_TO": ADDRESS,
            "ALERT_SMTP_HOST": f"127.0.0.1:{mail_port}",
            "ALERT_SMTP_TLS": "false",
            "ALERT_GROUP_WAIT": "1s",
            "ALERT_GROUP_INTERVAL": "1s",
        }
        found = settings.read({**stack.environment, **told})
        files = written(directory)
        with observe.running(found, files, directory / "run", every="1s") as (observed, _):
            seen = Observing(stack, observed.prometheus, observed.alertmanager, bodies, mails)
            product = an_order(stack, admin_session())
            with visits(stack, product):
                yield seen


def written(directory: Path) -> list[Path]:
    content = {
        "recording.yml": rules.recording(TABLE, long_every="1s"),
        "alerts.yml": rules.alerts(TABLE, JOBS, down_for="1s"),
    }
    for name, text in content.items():
        (directory / name).write_text(yaml.safe_dump(text))
    return [directory / name for name in content]


@contextmanager
def slack() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of an incoming webhook, and the bodies that it got."""
    bodies: list[dict[str, Any]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/secret", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def an_order(stack: Stack, admin: Tokens) -> Product:
    """Of a new product, paid."""
    product = checkouts.stocked(stack, admin, units=3)
    shopper = Shopper(stack)
    order = shopper.held(product)
    shopper.card(shopper.page(order), CARD)
    shopper.becomes(order, "paid")
    return product


@contextmanager
def visits(stack: Stack, product: Product) -> Iterator[None]:
    """Somebody looks around, a few pages a second, for as long as the context lasts."""
    over = threading.Event()
    shopper = Shopper(stack)
    pages = ("/", "/products", f"/products/{product.sku}", "/products?q=mug", "/sign-in", "/cart")

    def look_around() -> None:
        with httpx.Client(timeout=30) as client:
            while not over.is_set():
                for path in pages:
                    client.get(f"{stack.frontend_url}{path}")
                client.get(f"{stack.gateway_url}/api/home", headers=shopper.headers)
                client.get(f"{stack.gateway_url}/api/products?q=mug&lang=en")
                over.wait(1)

    thread = threading.Thread(target=look_around)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def eventually(look: Callable[[], Any], what: Callable[[], str]) -> Any:
    give_up = time.monotonic() + WITHIN
    while not (found := look()):
        assert time.monotonic() < give_up, what()
        time.sleep(0.2)
    return found


def without_series(observing: Observing, queries: dict[str, str]) -> str:
    """The queries that find nothing, and will not."""
    missing = dict(queries)

    def look() -> bool:
        for name in list(missing):
            if observing.ask(missing[name]):
                del missing[name]
        return not missing

    with suppress(AssertionError):
        eventually(look, lambda: "")
    return "\n".join(f"{name}: {expr}" for name, expr in missing.items())


def may_be_empty(panel: Panel, job: str, *, real_kong: bool) -> bool:
    """Of a service that has no such part; of Kong's own numbers, or a store's. Everything else has happened here."""
    if panel.empty in (REAL_KONG, MAY_BE_MISSING):
        return panel.empty in not_here(real_kong=real_kong)
    return bool(panel.empty) and job not in ("", "order")  # which has a database, an outbox, and calls others


def not_here(*, real_kong: bool) -> set[str]:
    """The reasons for which something is missing that hold on this machine."""
    holds = {REAL_KONG: not real_kong, MAY_BE_MISSING: not STORES_SPEAK}
    return {reason for reason, here in holds.items() if here}


def of_panels(*, real_kong: bool) -> dict[str, str]:
    jobs = [p.name for p in declaration().of_kind("service", "front")]
    queries = {}
    for dashboard in dashboards(TABLE):
        for panel in dashboard.panels:
            for number, query in enumerate(panel.queries):
                for job in jobs if dashboard.choose else [""]:
                    if not may_be_empty(panel, job, real_kong=real_kong):
                        name = f"{dashboard.uid}, {panel.title}, {number} {job}"
                        queries[name] = query.expr.replace("$job", job)
    return queries


def of_alerts(*, real_kong: bool) -> dict[str, str]:
    """An alert finds nothing while all is well; what it compares has to be there."""
    queries = {}
    for condition in TABLE.conditions:
        for number, part in enumerate(re.split(r" and (?!on|ignoring)", condition.expr)):
            compared = re.fullmatch(r"(.*) (?:>|==) [\d.]+", part)
            assert compared, part
            if condition.empty not in not_here(real_kong=real_kong):
                queries[f"{condition.name} {number}"] = compared[1]
    for objective in TABLE.objectives:
        for window in TABLE.windows:
            for record in (rules.EVENTS, rules.FAILURES, rules.RATIO):
                name = record.format(window=window)
                queries[f"{name} {objective.name}"] = f'{name}{{objective="{objective.name}"}}'
    for job in JOBS:
        queries[f"up {job}"] = f'up{{job="{job}"}} == 1'
    return queries


def test_every_panel_and_every_alert_asks_for_what_exists(observing: Observing) -> None:
    real_kong = bool(observing.stack.traced_gateway)
    panels, alerts = of_panels(real_kong=real_kong), of_alerts(real_kong=real_kong)
    assert len(panels) > 100
    assert len(alerts) > 100
    assert without_series(observing, {**panels, **alerts}) == ""


def test_a_part_that_is_down_is_told_by_slack_and_by_mail_and_so_is_its_return(observing: Observing) -> None:
    stack = observing.stack
    eventually(lambda: ("Watchdog", "") in observing.firing(), lambda: "the watchdog is silent")
    # Other tests on this stack may have left a dispute or a dead letter; those are not asked about.
    expected = {("PartDown", "bff"), ("BrowseAvailabilityBurnsFast", "browse-availability")}
    eventually(lambda: not expected & observing.firing(), lambda: str(observing.firing()))
    stack.stop("bff")
    try:

        def failing() -> bool:
            assert httpx.get(f"{stack.frontend_url}/api/storefront", timeout=30).status_code >= 500
            return expected <= observing.firing()

        eventually(failing, lambda: str(observing.firing()))
        down = eventually(lambda: heard(observing, "firing"), lambda: f"{observing.slack} {observing.mails}")
    finally:
        stack.restart("bff")
    assert "What to do: docs/runbooks/parts.md#a-part-is-down" in down
    back = eventually(lambda: heard(observing, "resolved"), lambda: f"{observing.slack} {observing.mails}")
    assert "PartDown" in back
    eventually(lambda: not expected & observing.firing(), lambda: str(observing.firing()))


def heard(observing: Observing, status: str) -> str:
    """What Slack got of PartDown, once the mail has come as well; its address, names and runbook with it."""
    title = "Resolved: PartDown" if status == "resolved" else "1 firing: PartDown"
    slack_says = [
        f"{part['title']}\n{part['text']}"
        for body in list(observing.slack)
        for part in body["attachments"]
        if part["title"] == title
    ]
    mailed = [
        mail.as_string()
        for mail in list(observing.mails)
        if mail["Subject"] == f"[{status}] PartDown" and mail["To"] == ADDRESS
    ]
    if not slack_says or not mailed:
        return ""
    assert "job=bff" in slack_says[-1]
    assert "runbooks/parts.md" in mailed[-1]
    return slack_says[-1]
