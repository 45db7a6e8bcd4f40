"""Whether the ports are free, asked before anything starts, so that the answer can name who has them."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil

from devstack.errors import PortTakenError
from devstack.part import Part
from devstack.settings import LOOPBACK


def require_free(parts: Iterable[Part]) -> None:
    """Raises PortTakenError with every port that is taken, for whom, and by whom if that can be seen."""
    taken = [
        f"port {port}, which {part.name} needs, is taken{_by(port)}"
        for part in parts
        for port in part.ports
        if not _free(port)
    ]
    if taken:
        raise PortTakenError(
            "\n".join([*taken, "DEVSTACK_PORT_OFFSET=100 moves the whole stack to other ports."])
        )


def require_free_port(port: int, name: str) -> None:
    """Raises PortTakenError."""
    if not _free(port):
        raise PortTakenError(f"port {port}, which {name} needs, is taken{_by(port)}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _by(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            listens = connection.status == psutil.CONN_LISTEN and address and address.port == port
            if listens and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return ""  # another user's processes are not for everybody to see
    return ""
