"""What around a run may end or harm it: asked of commands that really run, lists as the kernel writes them, real mounts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from goemo_tui.commands import doctor
from trainer import surroundings
from trainer.surroundings import Logout, logout, network_warning, slurm_warning

SESSION = "0::/user.slice/user-4711.slice/session-3.scope\n"
MANAGER = "0::/user.slice/user-4711.slice/user@4711.service/app.slice/app-terminal.scope\n"
OLDER = "4:memory:/user.slice\n1:name=systemd:/user.slice/user-4711.slice/session-c1.scope\n"
SERVICE = "0::/system.slice/cron.service\n"


@pytest.fixture(autouse=True)
def nothing_special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No job, no login, one local disk; each test changes what it is about."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.setattr(surroundings, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(surroundings, "MOUNTS", tmp_path / "mountinfo")
    (tmp_path / "cgroup").write_text(SERVICE)
    (tmp_path / "mountinfo").write_text("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n")


class Logind:
    """`busctl` and `loginctl` as shell scripts in a folder that stands alone on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def program(self, name: str, script: str) -> None:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def says(self, kills: str = "b true", only: str = "as 0", never: str = "as 0", linger: str = "no") -> None:
        """Each property is printed as busctl does, in the order it is asked for."""
        self.program(
            "busctl",
            '[ "$1 $2 $3 $4" = "get-property org.freedesktop.login1 /org/freedesktop/login1'
            ' org.freedesktop.login1.Manager" ] || exit 1\nshift 4\nfor property; do case $property in\n'
            f"KillUserProcesses) echo '{kills}';;\nKillOnlyUsers) echo '{only}';;\n"
            f"KillExcludeUsers) echo '{never}';;\n*) exit 1;;\nesac; done",
        )
        self.program("loginctl", f'[ "$*" = "show-user 4711 --property=Linger --value" ] && echo {linger}')


@pytest.fixture
def logind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logind:
    made = Logind(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    return made


def in_group(text: str) -> Logout:
    surroundings.CGROUP.write_text(text)
    return logout()


@pytest.mark.parametrize("group", [SESSION, OLDER])
def test_a_session_that_logind_kills_takes_a_training_along(group: str, logind: Logind) -> None:
    logind.says()
    told = in_group(group)
    assert told.ends is True
    assert "loginctl enable-linger" in told.text and "systemd-run --user --scope" in told.text
    assert surroundings.warnings(Path("/"), 0) == [told.text]


def test_lingering_saves_what_is_started_outside_of_the_session_only(logind: Logind) -> None:
    logind.says(linger="yes")
    told = in_group(SESSION)  # the session's own processes are killed all the same
    assert told.ends is True and "enable-linger" not in told.text and "systemd-run --user --scope" in told.text
    told = in_group(MANAGER)
    assert told.ends is False and surroundings.warnings(Path("/"), 0) == []


def test_the_user_manager_ends_with_the_last_logout_also_where_nobody_kills(logind: Logind) -> None:
    logind.says(kills="b false", linger="no")
    told = in_group(MANAGER)
    assert told.ends is True and "loginctl enable-linger" in told.text
    assert in_group(SESSION).ends is False


def test_outside_of_a_login_nothing_is_asked(logind: Logind, tmp_path: Path) -> None:
    for name in ("busctl", "loginctl"):
        logind.program(name, f"echo asked > {tmp_path}/asked; echo b true")
    assert in_group(SERVICE).ends is in_group("0::/\n").ends is False
    surroundings.CGROUP.unlink()
    assert logout().ends is False
    assert not (tmp_path / "asked").exists()
    in_group(SESSION)
    assert (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("name", "kills", "only", "never", "ends"),
    [
        ("anna", "b true", "as 0", 'as 2 "root" "anna"', False),
        ("anna", "b true", 'as 1 "ben"', "as 0", False),
        ("anna", "b false", 'as 2 "ben" "anna"', "as 0", True),
        ("root", "b true", "as 0", "as 0", False),
        ("root", "b true", "as 0", 'as 1 "ben"', True),
    ],
)
def test_whom_logind_kills_goes_by_its_own_rule(
    name: str, kills: str, only: str, never: str, ends: bool, logind: Logind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings.pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name=name))
    logind.says(kills, only, never)
    assert in_group(SESSION).ends is ends


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "printf 'b true\\nas 0\\nas 0\\n'; exit 1",
        "exec sleep 60",
        "exec printf '\\377\\n\\n'",
        "echo 'b true'",
        "printf 'b \"\\na\\nb\\n'",
    ],
)
def test_a_logind_that_fails_hangs_or_babbles_is_said_and_warns_nobody(
    script: str, logind: Logind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{logind.folder}:/usr/bin:/bin")
    monkeypatch.setattr(surroundings, "PATIENCE", 0.3)
    logind.program("busctl", script)
    logind.program("loginctl", "exit 1")
    for group in (SESSION, MANAGER):
        told = in_group(group)
        assert told.ends is None and "does not answer" in told.text
        assert surroundings.warnings(Path("/"), 0) == []


def test_without_systemd_it_cannot_be_told(logind: Logind) -> None:
    assert in_group(SESSION).ends is None


def test_inside_a_slurm_job_its_end_is_said_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slurm_warning() is None
    monkeypatch.setenv("SLURM_JOB_ID", "8150")
    told = slurm_warning()
    assert told and "SLURM job 8150" in told and "end is the run's end" in told and "runs resume" in told
    end = int(time.mktime((2031, 5, 6, 7, 8, 0, 0, 0, -1)))
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(end))
    told = slurm_warning()
    assert told and "end at 2031-05-06 07:08 is the run's end" in told
    assert surroundings.warnings(Path("/"), 0) == [told]
    for odd in ("", "soon", "9" * 30):
        monkeypatch.setenv("SLURM_JOB_END_TIME", odd)
        told = slurm_warning()
        assert told and "end is the run's end" in told


LIST = """\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:50 / /home rw,relatime - autofs systemd-1 rw,fd=34
41 40 0:51 / /home/anna rw,relatime shared:9 master:2 - nfs4 server:/home/anna rw,vers=4.2
42 41 8:1 / /home/anna/local rw - xfs /dev/sda1 rw
43 27 0:52 / /mnt/my\\040disk\\134x rw - fuse.sshfs anna@server:/ rw,user_id=0
44 27 0:53 / /scratch rw - lustre mds@tcp:/scratch rw
45 27 8:2 / /scratch rw - ext4 /dev/sdb rw
46 27 0:54 / /mnt/fuse rw - fuse.ntfs-3g /dev/sdc rw
47 27 0:55 / /mnt/caf\\303\\251 rw - cifs //server/share rw
half a line
48 27 0:56 / /cut rw -
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/nowhere/yet", None),
        ("/home/anna/runs", "nfs4 at /home/anna)"),
        ("/home/annabel/runs", None),
        ("/home/anna/local/runs", None),
        ("/mnt/my disk\\x/runs", "fuse.sshfs at /mnt/my disk\\x)"),
        ("/scratch/anna", None),
        ("/mnt/fuse/runs", None),
        ("/mnt/café/runs", "cifs at /mnt/café)"),
    ],
)
def test_a_folder_on_a_network_disk_is_told_by_the_nearest_mount(folder: str, kind: str | None) -> None:
    surroundings.MOUNTS.write_text(LIST)
    told = network_warning(Path(folder))
    if kind is None:
        assert told is None
        return
    assert told and told.startswith(f"{folder} lies on a network disk ({kind}") and "GOEMO_HOME" in told


def test_a_link_leads_to_the_disk_that_it_points_at(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "far")
    with surroundings.MOUNTS.open("a") as file:
        file.write(f"50 27 0:60 / {tmp_path}/far rw - nfs server:/ rw\n")
    assert network_warning(tmp_path / "runs" / "x") and not network_warning(tmp_path / "near")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert network_warning(tmp_path / "loop") is None
    surroundings.MOUNTS.unlink()
    assert network_warning(tmp_path / "runs") is None


def test_this_machines_own_list_of_mounts_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if surroundings.MOUNTS.exists():
        mount = surroundings._mount(tmp_path)
        assert mount and tmp_path.is_relative_to(mount[0]) and os.path.ismount(mount[0])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 8 MB, or None where mounting is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_too_small_is_said_with_both_sizes(small_disk: Path | None, tmp_path: Path) -> None:
    # Where nothing may be mounted, a model that fits on no disk shows the same.
    parameters = 1_000_000 if small_disk else 10**15
    runs = (small_disk or tmp_path) / "not" / "yet" / "there"
    told = surroundings.disk_warning(runs, parameters)
    assert told and told.startswith(f"{runs}: ") and "goemo-tui runs prune" in told and "GOEMO_HOME" in told
    assert surroundings.warnings(runs, parameters) == [told]
    assert surroundings.disk_warning(runs, 0) is None and surroundings.disk_warning(runs, 1000) is None
    if small_disk:
        assert "takes up to 56 MB, and 8 MB are free" in told
        assert surroundings.free_bytes(runs) == 8 * 2**20
        (small_disk / "not").write_bytes(bytes(2**20))  # a file where the folder should be does not hide the disk
        assert surroundings.free_bytes(runs) == 7 * 2**20


def test_what_only_root_may_use_is_not_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(f_bavail=10, f_bfree=10**6, f_frsize=4096, f_bsize=2**20)
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    assert surroundings.free_bytes(tmp_path) == 40960
    assert surroundings.disk_warning(tmp_path, 1000)

    def refuses(path: Path) -> None:
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(os, "statvfs", refuses)
    assert surroundings.free_bytes(tmp_path) is None and surroundings.disk_warning(tmp_path, 10**15) is None


def test_a_run_needs_four_checkpoints_and_two_models() -> None:
    assert surroundings.checkpoint_bytes(22_700_000) == 272_400_000
    assert surroundings.needed_bytes(22_700_000) == 4 * 272_400_000 + 2 * 90_800_000
    assert [surroundings.size(n) for n in (1_271_200_000, 90_800_000)] == ["1.3 GB", "91 MB"]


def test_a_checkpoint_is_as_large_as_it_was_said(tmp_path: Path) -> None:
    import torch

    from trainer.learn import checkpoint

    model = torch.nn.Linear(500, 500)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 500)).sum().backward()
    optimizer.step()
    written = checkpoint.write(tmp_path, model, optimizer, checkpoint.Position(step=1))["bytes"]
    said = surroundings.checkpoint_bytes(sum(p.numel() for p in model.parameters()))
    assert said <= written <= said * 1.05


def test_several_are_told_one_after_the_other(logind: Logind, monkeypatch: pytest.MonkeyPatch) -> None:
    logind.says()
    surroundings.CGROUP.write_text(SESSION)
    surroundings.MOUNTS.write_text(LIST)
    monkeypatch.setenv("SLURM_JOB_ID", "8150")
    disk, network, job, out = surroundings.warnings(Path("/home/anna/runs"), 10**15)
    assert "free" in disk and "nfs4" in network and "8150" in job and "logout" in out


def test_doctor_tells_the_same(
    logind: Logind, goemo_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> dict[str, tuple[bool | None, str]]:
        doctor.run(Namespace(json=True))
        return {f["topic"]: (f["good"], f["what"]) for f in json.loads(capsys.readouterr().out)}

    for part in ("_program", "_devices", "_models", "_corpora"):
        monkeypatch.setattr(doctor, part, list)
    usual = told()
    assert set(usual) == {"disk", "logout", "terminal"}
    assert usual["disk"][0] and "free; a run of minilm takes up to 1.3 GB" in usual["disk"][1]
    assert usual["logout"] == (True, logout().text)
    logind.says()
    surroundings.CGROUP.write_text(SESSION)
    surroundings.MOUNTS.write_text("27 1 0:50 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setenv("SLURM_JOB_ID", "8150")
    monkeypatch.setattr(surroundings, "free_bytes", lambda folder: 10**9)
    warned = told()
    assert warned["disk"][0] is False and "1.3 GB, and 1.0 GB are free" in warned["disk"][1]
    assert warned["logout"] == (None, logout().text) and "enable-linger" in logout().text
    assert warned["network"][0] is None and str(goemo_home / "runs") in warned["network"][1]
    assert warned["slurm"] == (None, slurm_warning())


def test_it_needs_no_torch() -> None:
    code = "import sys, trainer.surroundings; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
