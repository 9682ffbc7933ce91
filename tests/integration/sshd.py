"""A real sshd on loopback with files, keys and a port of its own, and logins to it.

It serves only the user who runs it and only from this machine; nothing of the machine's own SSH is read or changed.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE = 60.0
SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")
SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))
MISSING = [name for name, found in (("sshd", SSHD), ("ssh", shutil.which("ssh"))) if found is None]
"""What has to be installed first."""
SEPARATION = Path("/run/sshd")
"""An empty folder into which an sshd of root locks the part of it that talks to strangers."""


class Sshd:
    """The server, and the client's side of it. Use as a context; no process of it is left afterwards.

    `folder` takes keys, settings and logs. Raises AssertionError with the server's log where it does not come up.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.log = folder / "sshd.log"
        self.port = 0
        self.pid = 0
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sshd:
        self.folder.mkdir(mode=0o700)
        for name in ("host_key", "user_key"):
            quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.folder / name))
        shutil.copy(self.folder / "user_key.pub", self.folder / "authorized_keys")
        if os.getuid() == 0:
            SEPARATION.mkdir(mode=0o755, exist_ok=True)
        for _ in range(5):  # somebody may take the port just after it was found free
            if self._started():
                return self
        raise AssertionError(f"sshd does not start\n{self.log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The sessions first: without the server nobody could tell any more that they were its own.
        deadline = time.monotonic() + PATIENCE
        while (left := self.sessions()) and time.monotonic() < deadline:
            for pid in left:
                kill(pid)
            time.sleep(0.01)
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def sessions(self) -> set[int]:
        """All that the server has started: a process or two for each login, its shell, and what runs in it."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                except OSError:
                    continue
                if fields[0] not in "ZX":
                    parents[int(entry.name)] = int(fields[1])
        found: set[int] = set()
        while fresh := {pid for pid, parent in parents.items() if parent in found | {self.pid}} - found:
            found |= fresh
        return found

    def login(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Log in as a person at a terminal does and run `command` there with `environment` on top of the login's own.

        What is written to stdin is typed, and stdout is the screen. The exit code is the command's, 255 for a lost
        connection.
        """
        there = shlex.join(["env", *(f"{key}={value}" for key, value in environment.items()), *command])
        options = {
            "Port": self.port,
            "IdentityFile": self.folder / "user_key",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": os.devnull,
            "EscapeChar": "none",
            "ConnectTimeout": int(PATIENCE),
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return subprocess.Popen(
            ["ssh", "-F", "none", "-tt", *words, f"{self.user}@127.0.0.1", there],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TERM": "xterm-256color"},
        )

    def _started(self) -> bool:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        key = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        settings = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": self.folder / "host_key",
            "AuthorizedKeysFile": self.folder / "authorized_keys",
            "PidFile": self.folder / "sshd.pid",
            "AllowUsers": self.user,
            "PermitRootLogin": "prohibit-password",
            "AuthenticationMethods": "publickey",
            "UsePAM": "no",
            "StrictModes": "no",  # the folder may lie in one that others can write, such as /tmp
            "UseDNS": "no",
            "PrintMotd": "no",
            "PrintLastLog": "no",
        }
        file = self.folder / "sshd_config"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        assert SSHD is not None
        quietly(SSHD, "-t", "-f", str(file))
        self._server = subprocess.Popen(
            [SSHD, "-D", "-f", str(file), "-E", str(self.log)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        self.pid = self._server.pid
        return self._answers()

    def _answers(self) -> bool:
        """False if the server ended, as it does where the port is taken."""
        assert self._server is not None
        deadline = time.monotonic() + PATIENCE
        while self._server.poll() is None and time.monotonic() < deadline:
            if self.log.exists() and f"listening on 127.0.0.1 port {self.port}" in self.log.read_text():
                return True
            time.sleep(0.02)
        self._server.kill()
        self._server.wait()
        return False


def quietly(*command: str) -> None:
    """Run a tool and show what it says only if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stdout}{done.stderr}"


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
