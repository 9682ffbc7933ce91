"""The laptop is closed: a training that was started over a real SSH connection outlives it, and a second login finds it.

Client and server talk over loopback; the connection ends on one side or the other, always without a word.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.lasting import (
    GOEMO,
    PATIENCE,
    ROOT,
    end_all,
    goes_on,
    moving,
    started,
    stopped,
    train,
    until,
)
from tests.integration.sshd import MISSING, Sshd

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

CTRL_C = b"\x03"


@pytest.fixture(autouse=True)
def nothing_stays(goemo_home: Path) -> Iterator[None]:
    """No process of a test outlives it."""
    yield
    end_all(goemo_home)


@pytest.fixture
def there(goemo_home: Path) -> Mapping[str, str]:
    """What a login's environment lacks."""
    kept = {key: os.environ[key] for key in ("HF_HOME", "HF_HUB_OFFLINE", "OMP_NUM_THREADS")}
    return {**kept, "GOEMO_HOME": str(goemo_home), "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


class Login:
    """`goemo-tui` at the other end of a connection. Use as a context; the client is gone afterwards."""

    def __init__(self, server: Sshd, there: Mapping[str, str], *arguments: str) -> None:
        self.client = server.login([*GOEMO, *arguments], there)
        self._seen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Login:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.kill()
        self.client.wait()
        self._reader.join(PATIENCE)
        for pipe in (self.client.stdin, self.client.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self.client.stdout is not None
        while data := os.read(self.client.stdout.fileno(), 65536):
            self._seen += data

    @property
    def text(self) -> str:
        """All that has come so far, codes and all."""
        return self._seen.decode("utf-8", "replace")

    def press(self, keys: bytes) -> None:
        """Type."""
        assert self.client.stdin is not None
        self.client.stdin.write(keys)
        self.client.stdin.flush()

    def wait(self) -> int:
        """The exit code of the command, once it has ended."""
        try:
            code = self.client.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running\n{self.text}") from None
        self._reader.join(PATIENCE)
        return code


@pytest.mark.parametrize("killed", ["client", "server"])
def test_a_connection_that_is_lost(
    killed: str, tiny_encoder: Path, goemo_home: Path, there: Mapping[str, str], tmp_path: Path
) -> None:
    with Sshd(tmp_path / "sshd") as server:
        with Login(server, there, *train(tiny_encoder)) as first:
            run, worker = started(lambda: connected(first, server))
            moving(lambda: first.text, run)
            session = server.sessions()
            assert session and worker not in session
            for pid in [first.client.pid] if killed == "client" else served(session):
                os.kill(pid, signal.SIGKILL)
            assert first.wait() == (-signal.SIGKILL if killed == "client" else 255)
            until(lambda: not server.sessions(), "something of the session has stayed")
            goes_on(run, worker)
        with Login(server, there, "runs", "attach", run.id) as second:
            moving(lambda: second.text, run)
            second.press(CTRL_C)
            assert second.wait() == 130, second.text
            assert f"{run.id} goes on in the background" in second.text
        goes_on(run, worker)
        with Login(server, there, "runs", "stop", run.id) as third:
            assert third.wait() == 0, third.text
        stopped(run, goemo_home)


def connected(login: Login, server: Sshd) -> str:
    """What has come so far over a connection that stands."""
    assert login.client.poll() is None, f"{login.text}\n{server.log.read_text()}"
    return login.text


def served(session: set[int]) -> list[int]:
    """Of a session's processes those of sshd itself; the others are to learn of the loss by themselves."""
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in session}
    found = [pid for pid, name in names.items() if name.startswith("sshd")]
    assert found, f"no sshd among {names}"
    return found
