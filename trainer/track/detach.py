"""The step between whoever starts a mirror and the mirror: run as a file, it leaves the command behind and is gone."""

from __future__ import annotations

import os
import signal
import sys


def main(log: str, command: list[str]) -> int:
    """Start `command` as nobody's child, its output in the file `log` (made anew), in the folder /."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the end of a login is not the end of a training
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    output = os.open(log, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.umask(0o077)
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.chdir("/")
        for old, new in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(old, new)
        try:
            os.execv(command[0], command)
        finally:
            os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
