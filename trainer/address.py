"""Where a server listens: an address as a user writes it, and the socket. What others can reach asks for a token."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass

from trainer.errors import ConfigError, GoemoError

WAITING = 1_024
"""Connections that the system keeps until they are accepted."""


@dataclass(frozen=True)
class Address:
    """`host` as it was written, `ip` what it means; `port` 0 takes a free one."""

    host: str
    ip: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.ip).is_loopback


def address(text: str) -> Address:
    """`HOST:PORT`, `[IPV6]:PORT`, or a port on 127.0.0.1. Raises ConfigError."""
    host, _, port = text.strip().rpartition(":")
    host = host or ("" if ":" in text else "127.0.0.1")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare) != (bare != host) or (":" not in text and not port.isdigit()):
        raise ConfigError(f"{text}: give HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000", key="http")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise ConfigError(f"{text}: a port is a number from 0 (a free one) to 65535", key="http")
    try:
        found = socket.getaddrinfo(bare, int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{text}: {bare} is no address of this machine ({error})", key="http") from None
    return Address(host, str(found[0][4][0]), int(port))


def listen(where: Address) -> socket.socket:
    """A socket that takes connections there. Raises GoemoError."""
    family = socket.AF_INET6 if ":" in where.ip else socket.AF_INET
    try:
        found = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise GoemoError(f"{where.host}: this machine cannot listen there ({error.strerror})") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((where.ip, where.port))
        found.listen(WAITING)
    except OSError as error:
        found.close()
        raise GoemoError(f"{where.host}:{where.port}: {_reason(error, where.port)}") from None
    return found


def _reason(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; choose another port, or :0 for a free one"
    if error.errno == errno.EACCES:
        return f"port {port} is for root alone; choose one from 1024 on"
    if error.errno == errno.EADDRNOTAVAIL:
        return "that is no address of this machine"
    return os.strerror(error.errno or 0)


def shown(where: Address, port: int) -> str:
    """The URL under which a socket at `port` is reached."""
    return f"http://{where.host}:{port}"


def hosts(where: Address, port: int) -> frozenset[str]:
    """What a Host header of somebody on this machine says."""
    names = {where.host.lower(), f"[{where.ip}]" if ":" in where.ip else where.ip, "localhost", "127.0.0.1", "[::1]"}
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())
