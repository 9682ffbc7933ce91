"""What around a run may end or harm it: logout, the end of a SLURM job, a network disk, a disk that is too small.

Said before a start and by `doctor`; nothing here stops anybody, changes anything or raises. No torch.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
CGROUP = Path("/proc/self/cgroup")
"""macOS has neither: what they would tell is not asked there."""

LOGIN = re.compile(r"\d+:(?:name=systemd)?:.*/user-(\d+)\.slice/(session|user)(?:-\w+\.scope|@\d+\.service)(?:/|$)")
"""A line of CGROUP that lies within somebody's login: the uid, and `session` or `user` for the service manager."""

PATIENCE = 3.0
"""Seconds that a question to logind may take."""
UNANSWERED = "systemd-logind does not answer: whether logout ends a training cannot be told"

WEIGHT = 4
"""Bytes of one parameter; AdamW keeps two numbers more of the same size."""
CHECKPOINTS = 4
"""That are there at once at most: the newest two, the best, and the one being written."""
MODELS = 2
"""The best model so far, and the one that is to replace it."""

NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "ceph-fuse", "cifs", "coda", "curlftpfs", "davfs", "drvfs", "gcsfuse",
    "glusterfs", "goofys", "gpfs", "juicefs", "lizardfs", "lustre", "mfs", "ncpfs", "nfs", "nfs4", "orangefs",
    "panfs", "prl_fs", "pvfs2", "rclone", "s3fs", "seaweedfs", "smb3", "smbfs", "sshfs", "vboxsf", "virtiofs",
    "vmhgfs", "vmhgfs-fuse", "wekafs",
})  # fmt: skip
"""File systems that somebody else serves, as the kernel names them; those over FUSE without their `fuse.`."""


@dataclass(frozen=True)
class Logout:
    """Whether logging out would end a training that is started here. `ends` is None where that cannot be told."""

    ends: bool | None
    text: str


def warnings(folder: Path, parameters: int) -> list[str]:
    """All that is to be said before a model of `parameters` is trained with its run in `folder`; often nothing."""
    out = logout()
    told = (
        disk_warning(folder, parameters),
        network_warning(folder),
        slurm_warning(),
        out.text if out.ends else None,
    )
    return [text for text in told if text]


# The disk


def checkpoint_bytes(parameters: int, learned: int | None = None) -> int:
    """About how large a checkpoint is: weights and AdamW's two moments, as float32."""
    return WEIGHT * (parameters + 2 * (parameters if learned is None else learned))


def needed_bytes(parameters: int) -> int:
    """What a run takes up at its largest, from nothing: its checkpoints and its models."""
    return CHECKPOINTS * checkpoint_bytes(parameters) + MODELS * WEIGHT * parameters


def free_bytes(folder: Path) -> int | None:
    """What this user may still write where `folder` is or will be; None where the system does not say.

    Without what the file system keeps back for root, so it is what a write would really find.
    """
    for there in (folder, *folder.parents):
        try:
            found = os.statvfs(there)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            return None
        return found.f_bavail * found.f_frsize
    return None


def disk_warning(folder: Path, parameters: int) -> str | None:
    """A sentence if a run in `folder` would not find the room that it needs."""
    need, free = needed_bytes(parameters), free_bytes(folder)
    if free is None or free >= need:
        return None
    return (
        f"{folder}: a run of this size takes up to {size(need)}, and {size(free)} are free. "
        f"Make room with goemo-tui runs prune, or let GOEMO_HOME name a folder on another disk"
    )


def size(count: int) -> str:
    """Bytes for people: `90 MB`, `1.3 GB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


# The file system


def network_warning(folder: Path) -> str | None:
    """A sentence if `folder` lies on a disk that is reached over a network, or lent by a host."""
    mount = _mount(folder)
    if mount is None or mount[1].removeprefix("fuse.") not in NETWORK:
        return None
    return (
        f"{folder} lies on a network disk ({mount[1]} at {mount[0]}): locks, and what is left after a crash, are only "
        f"as good there as its server. Let GOEMO_HOME name a folder on a local disk"
    )


def _mount(folder: Path) -> tuple[Path, str] | None:
    """Mount point and type of the file system that `folder` is on, or will be."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
        real = folder.resolve()
    except (OSError, RuntimeError, ValueError):  # no such list, or a loop of links
        return None
    best: tuple[Path, str] | None = None
    for line in lines:
        place, _, kind = line.partition(b" - ")
        fields, kinds = place.split(), kind.split()
        if len(fields) < 5 or not kinds:
            continue
        point = Path(os.fsdecode(re.sub(rb"\\([0-3][0-7]{2})", lambda m: bytes([int(m[1], 8)]), fields[4])))
        # the later of two at the same place hides the earlier one
        if real.is_relative_to(point) and (best is None or len(point.parts) >= len(best[0].parts)):
            best = (point, os.fsdecode(kinds[0]))
    return best


# The end of a job


def slurm_warning() -> str | None:
    """A sentence if this is inside a SLURM allocation, whose end no process in it survives."""
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        return None
    try:
        end = time.localtime(int(os.environ.get("SLURM_JOB_END_TIME", "")))
        when = time.strftime(" at %Y-%m-%d %H:%M", end)
    except (ValueError, OverflowError, OSError):  # older ones do not say
        when = ""
    return (
        f"this is inside SLURM job {job}: the job's end{when} is the run's end. "
        f"goemo-tui runs resume takes the run up again from its last checkpoint"
    )


# The end of a login


def logout() -> Logout:
    """Whether logging out would end a training that is started by this process.

    Two different things can: logind, which may kill what is left of a session, and the end of the user's own service
    manager, which takes along what was started under it unless the user lingers. Which of them it would be, the control
    group tells, since a worker stays in that of its starter. Logind is asked over D-Bus, for its settings file may not
    be what is in force.
    """
    place = _place()
    if place is None:
        return Logout(False, "this is no login session, so no logout ends a training that is started here")
    uid, in_session = place
    if not in_session:
        lingers = _lingers(uid)
        if lingers is None:
            return Logout(None, UNANSWERED)
        if lingers:
            return Logout(False, "lingering is on: a training goes on after logout")
        return Logout(
            True,
            "your last logout ends the systemd user manager that this was started under, and a training with it: "
            "loginctl enable-linger lets both go on",
        )
    kills = _kills(uid)
    if kills is None:
        return Logout(None, UNANSWERED)
    if not kills:
        return Logout(False, "logind leaves processes alone: a training goes on after logout")
    linger = "" if _lingers(uid) else "loginctl enable-linger once, then "
    return Logout(
        True,
        "logind kills what was started in this login session at logout, a training too. To let it go on: "
        f"{linger}start goemo-tui as systemd-run --user --scope goemo-tui",
    )


def _place() -> tuple[int, bool] | None:
    """Whose login this process belongs to (uid), and whether to one session (True) or to the user's service manager.

    The owner need not be who we are: under sudo it is still the session of who logged in. None outside of any login.
    """
    try:
        text = CGROUP.read_text("utf-8", "replace")
    except OSError:
        return None
    for line in text.splitlines():
        found = LOGIN.match(line)
        if found:
            return int(found[1]), found[2] == "session"
    return None


def _kills(uid: int) -> bool | None:
    """Whether logind ends the sessions of `uid` with force, by its own rule; None if it does not answer."""
    answer = _ask(
        *("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1"),
        *("org.freedesktop.login1.Manager", "KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers"),
    )
    try:
        every, only, never = (shlex.split(line) for line in (answer or "").splitlines())
    except ValueError:
        return None
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = ""
    if name in never[2:] or (name == "root" and not never[2:]):  # behind type and count: `as 2 "anna" "ben"`
        return False
    return name in only[2:] if only[2:] else every == ["b", "true"]


def _lingers(uid: int) -> bool | None:
    """Whether the service manager of `uid` stays after the last logout; None if logind does not answer."""
    answer = _ask("loginctl", "show-user", str(uid), "--property=Linger", "--value")
    return None if answer is None else answer == "yes"


def _ask(*command: str) -> str | None:
    """What a command prints, or None if it is not there, fails, says nothing or takes too long."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
