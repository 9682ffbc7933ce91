"""How much is taken from whom, and how long anybody is waited for. Everything that grows with the outside has a bound here."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.errors import ConfigError

MOST = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of a service. Seconds where it says `_s`; what is over its bound is answered, never dropped."""

    texts: int = 256
    """Texts of one request."""

    characters: int = 10_000
    """Characters of one text. A model reads its first `max_length` tokens anyway."""

    body_bytes: int = 1_000_000
    """Bytes of one request's body."""

    queue: int = 1_024
    """Texts that wait; a request that has more of them than there is room for gets 429."""

    batch: int = 32
    """Texts that are computed before anybody else gets a turn."""

    wait_s: float = 30.0
    """How long a request waits for its answer before it gets 503 instead."""

    header_s: float = 10.0
    """How long a client may take to send a request's head, or what nobody asked it for."""

    body_s: float = 20.0
    """How long it may take to send the body."""

    write_s: float = 20.0
    """How long it may leave an answer unread."""

    idle_s: float = 5.0
    """How long a connection is kept open without a request."""

    connections: int = 512
    """Connections at a time; requests on more of them get 503."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value <= MOST:
                what = "deadline" if name == "wait_s" else name.replace("_", " ")
                raise ConfigError(f"{what} {value:g}: more than 0, and {MOST:,} at the most", key=name)
        if self.texts > self.queue:
            raise ConfigError(
                f"a request of {self.texts} texts would never find room in a queue of {self.queue}", key="queue"
            )
