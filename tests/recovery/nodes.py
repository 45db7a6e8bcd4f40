"""Two nodes of one platform on this machine: each runs every part once, on the same stores, behind balancers.

As the chart has it with two replicas of everything; Kong of a node has that node's plugin servers beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from devstack.throwaway import free_ports
from tests.e2e import local_stack
from tests.e2e.local_stack import LocalStack, directory_log
from tests.e2e.stack import Published
from tests.recovery.balancer import Balancer, serving

BALANCED = ("AUTH", "MEMBER", "CATALOG", "ORDER", "PAYMENT", "BFF", "GATEWAY", "FRONTEND")
"""What is called by others or from outside, by its port variable."""
PORT_OF = {"kong": "GATEWAY", "frontend_proxy": "FRONTEND"}


@dataclass(frozen=True)
class Nodes(Published):
    """The addresses are the balancers'; `stacks` are the nodes by their names."""

    stacks: dict[str, LocalStack]
    balancers: dict[str, Balancer]

    def balancer_of(self, part: str) -> Balancer:
        """In front of a part; of a plugin server that of its Kong, which nobody reaches without it."""
        return self.balancers.get(PORT_OF.get(part, part.upper()), self.balancers["GATEWAY"])


@contextmanager
def running() -> Iterator[Nodes]:
    with ExitStack() as ending:
        one, other = (ending.enter_context(local_stack.prepared()) for _ in range(2))
        stacks = {"one": one, "other": other}
        ports = free_ports(len(BALANCED))
        balancers = {
            name: Balancer(
                port, {node: int(each.environment[f"{name}_PORT"]) for node, each in stacks.items()}
            )
            for name, port in zip(BALANCED, ports, strict=True)
        }
        for each in balancers.values():
            each.ready = {"one"}  # until there is another
        ending.enter_context(serving(*balancers.values()))
        told = {f"DEVSTACK_{name}_URL": each.url for name, each in balancers.items()} | {
            "DEVSTACK_SANDBOX_URL": one.sandbox_url,
            "MEDIA_URL": (one.directory / "media").as_uri(),
            "MAIL_URL": (one.directory / "mail").as_uri(),
        }
        stores = {
            f"DEVSTACK_{name}": f"127.0.0.1:{one.environment[f'{name}_PORT']}"
            for name in ("POSTGRES", "REDIS")
        }
        one.environment.update(told)
        other.environment.update(told | stores)
        for name, stack in stacks.items():
            started = stack.devstack("up", "--detach")
            assert started.returncode == 0, f"{name}: {started.stderr}\n{directory_log(stack.directory)}"
            shutil.copy(one.directory / "secrets.json", other.directory / "secrets.json")
        for each in balancers.values():
            each.ready = set(stacks)
        published = {f"{name}_PORT": str(each.port) for name, each in balancers.items()}
        try:
            yield Nodes({**one.environment, **published}, one.internal_key, stacks, balancers)
        finally:
            other.devstack("down")  # before its stores go
