"""A run for SLURM: the file that sbatch takes, its submission, and (as a program of the job) what to do with the run.

The job asks for a signal before its time is up, stops the run then, which writes a checkpoint, and puts itself in the
queue again; started anew, it goes on from there. Nothing here waits for a job.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import ConfigError, GoemoError, RunError
from trainer.runs import lock
from trainer.runs.events import LOG, EventLog
from trainer.runs.launch import environment
from trainer.runs.run import Run
from trainer.runs.supervise import unforeseen

NAME = "slurm.sbatch"
OUTPUT = "slurm.log"
SIGNAL_SECONDS = 180
"""So long before the end of its time the job is told: enough for the step at hand and a checkpoint."""
SUBMIT_SECONDS = 60.0
ASK_SECONDS = 20.0
WAITS_FOR = "SLURM to start it"
KEPT = ("GOEMO_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "PYTHONPATH")
"""What of this environment the job is to find again on its node."""

OPTIONS = """account acctg-freq array batch bb bbf begin chdir cluster-constraint clusters comment constraint container container-id
contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency distribution error
exclude exclusive export export-file extra extra-node-info get-user-env gid gpu-bind gpu-freq gpus gpus-per-node
gpus-per-socket gpus-per-task gres gres-flags hint hold ignore-pbs input job-name kill-on-invalid-dep licenses mail-type
mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nice no-kill no-requeue nodefile nodelist nodes
ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket oom-kill-step open-mode output overcommit
oversubscribe parsable partition prefer priority profile propagate qos quiet reboot requeue reservation resv-ports segment
signal sockets-per-node spread-job stepmgr switches test-only thread-spec threads-per-core time time-min tmp
tres-bind tres-per-task uid use-min-nodes verbose wait wait-all-nodes wckey"""
"""The long options of SLURM's own sbatch that can stand in a file."""


@dataclass(frozen=True)
class Job:
    """What was made for SLURM: the file, and the number that sbatch gave it; None where there is no sbatch here."""

    script: Path
    number: str | None


def check_options(asked: Iterable[str]) -> dict[str, str]:
    """`name=value` or `name` of sbatch's long options -> name: value, empty for a bare switch. Raises ConfigError."""
    found = {}
    for text in asked:
        name, _, value = text.removeprefix("--").partition("=")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or not value.isprintable():
            raise ConfigError(f"--sbatch {text!r}: one of sbatch's long options, such as partition=gpu or exclusive")
        found[name] = value
    return found


def unknown_options(asked: Iterable[str]) -> list[str]:
    """A warning for each option that is none of sbatch's own: a site may have more, so it is written all the same."""
    found, known = [], OPTIONS.split()
    for name in check_options(asked):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            found.append(
                f"--sbatch {name}: none of the options that sbatch itself has{meant}; it was written as it stands"
            )
    return found


def options(config: TrainConfig, run: Run, nodes: int, asked: Iterable[str]) -> dict[str, str]:
    """The `#SBATCH` options of a run; what is `asked` for wins. Raises ConfigError."""
    found = {
        "job-name": f"goemo-{run.short}", "nodes": str(nodes), "ntasks-per-node": "1", "requeue": "", "open-mode": "append",
        "output": str(run.folder / OUTPUT).replace("%", "%%"), "signal": f"B:USR1@{SIGNAL_SECONDS}",
    }  # fmt: skip
    found["cpus-per-task" if config.device == "cpu" else "gpus-per-node"] = str(config.devices)
    return {**found, **check_options(asked)}


def script(run: Run, nodes: int = 1, asked: Iterable[str] = ()) -> str:
    """The text of the file for sbatch. Raises ConfigError."""
    config = run.config
    chosen = options(config, run, nodes, asked).items()
    lines = [f"#SBATCH --{name}={shlex.quote(value)}" if value else f"#SBATCH --{name}" for name, value in chosen]
    here = {**environment(), "GOEMO_HOME": str(paths.home())}
    exports = [f"export {name}={shlex.quote(here[name])}" for name in KEPT if here.get(name)]
    worker = _worker(config, nodes)
    return _SCRIPT.format(
        sbatch="\n".join(lines), exports="\n".join(exports), python=shlex.quote(sys.executable),
        run=shlex.quote(str(run.folder)), retries=config.retries, worker=worker,
    )  # fmt: skip


def submit(run: Run, nodes: int = 1, asked: Iterable[str] = ()) -> Job:
    """Write the file into the run's folder and give it to sbatch, where there is one. Raises ConfigError or RunError.

    A run that sbatch did not take has failed: nobody will come to start it.
    """
    path, text = run.folder / NAME, script(run, nodes, asked)
    program = shutil.which("sbatch")
    try:
        paths.write_private(path, text.encode())
        with EventLog(run.folder / LOG) as log:
            log.append("waiting", on=WAITS_FOR if program else f"{NAME} in its folder to be given to sbatch")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from None
    if program is None:
        return Job(path, None)
    try:
        return Job(path, _submitted(program, path))
    except RunError as error:
        told = f"{error}. To try again: sbatch {path}; to remove the run: goemo-tui runs rm {run.id}"
        if lock.holder(run.folder) is None:  # else a job came all the same, and the log is its own
            with suppress(OSError), EventLog(run.folder / LOG) as log:
                log.append("failed", step=0, error=told, reason="missing")
        raise RunError(told) from None


def _submitted(program: str, path: Path) -> str:
    """The job's number. Raises RunError."""
    try:
        done = subprocess.run(
            [program, "--parsable", str(path)], capture_output=True, text=True, errors="replace", check=False,
            timeout=SUBMIT_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RunError(
            f"sbatch did not answer for {SUBMIT_SECONDS:g} seconds; squeue --me tells whether it took the job"
        ) from None
    except OSError as error:
        raise RunError(f"sbatch cannot be started: {error.strerror}") from None
    number = done.stdout.strip().partition(";")[0]
    if not done.returncode and number.isdecimal():
        return number
    said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
    what = f"did not take the job (exit code {done.returncode})" if done.returncode else "gave the job no number"
    raise RunError(f"sbatch {what}: {said}")


def begins(run: Run, job: str, restarts: int) -> None:
    """For a job that begins: take away a wish to stop that is not for it.

    One that a job left for its own worker names that job. Another is from before this job was submitted, and whoever
    submitted it wants the run to go on; after a restart of the same job it is still to be obeyed.
    """
    path = run.folder / lock.CONTROL / lock.STOP
    try:
        asked, of_job = path.stat().st_mtime, bool(path.read_bytes())
    except OSError:
        return  # nobody asked
    since = None if of_job or restarts else _submitted_at(job)
    if of_job or (since is not None and asked < since):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _submitted_at(job: str) -> float | None:
    """When a job was submitted, in whole seconds since 1970; None where SLURM does not say."""
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run(
            ["scontrol", "show", "job", job], capture_output=True, text=True, errors="replace", check=False,
            timeout=ASK_SECONDS, stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip
        found = re.search(r"\bSubmitTime=(\S+)", said)
        return datetime.fromisoformat(found[1]).timestamp() if found else None
    return None


def verdict(run: Run) -> str:
    """How a try in a job ended: `finished`, `stopped`, `again` where another try may go better, else `failed`.

    What was said before the last worker took the lock is another one's end: this one died before its first word.
    """
    held, end = lock.holder(run.folder), run.snapshot().end
    if end is None or unforeseen(end) or (held is not None and end["seq"] <= held.seq):
        return "again"
    return str(end["kind"])


def _worker(config: TrainConfig, nodes: int) -> str:
    """The command that trains, as a line of bash. On one node it listens on the loopback interface alone."""
    if nodes == 1:
        return '"$python" -m trainer "$run"'
    return (
        'srun "$python" -m torch.distributed.run '
        f'--nnodes {nodes} --nproc-per-node {config.devices} --max-restarts "$retries" --rdzv-backend c10d '
        '--rdzv-endpoint "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1):$((20000 + SLURM_JOB_ID % 20000))" '
        '--rdzv-id "$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.$tries" --signals-to-handle SIGTERM,SIGINT,SIGQUIT '
        '--module trainer "$run"'
    )


_SCRIPT = """#!/bin/bash
{sbatch}
# Written by goemo-tui train --slurm. Submit it again at any time: it goes on from the run's last checkpoint.

{exports}
export PYTHONSAFEPATH=1 CUDA_DEVICE_ORDER=PCI_BUS_ID
python={python}
run={run}
retries={retries}
tries=0
told=

ask() {{  # the job's time is almost up, or another one is to have its place
    [ ! -e "$run/control/stop" ] || return 0  # somebody asked already, and wants no requeue
    told=1
    mkdir -p "$run/control"
    echo "job $SLURM_JOB_ID" >"$run/control/stop"
}}
trap ask USR1 TERM

"$python" -m trainer.runs.slurm "$run" begins
while true; do
    {worker} &
    worker=$!
    wait "$worker"
    while kill -0 "$worker" 2>/dev/null; do  # a signal ends the waiting, not the worker
        wait "$worker"
    done
    how=$("$python" -m trainer.runs.slurm "$run") || exit 1
    case $how in
    finished) exit 0 ;;
    stopped)
        rm -f "$run/control/stop"  # it was heard, and is not meant for the next job
        [ -z "$told" ] || scontrol requeue "$SLURM_JOB_ID"
        exit 0
        ;;
    again)
        if [ -n "$told" ]; then
            rm -f "$run/control/stop"
            scontrol requeue "$SLURM_JOB_ID"
            exit 1
        fi
        tries=$((tries + 1))
        [ "$tries" -le "$retries" ] || exit 1
        ;;
    *) exit 1 ;;
    esac
done
"""


def main(arguments: list[str]) -> int:
    """Print the verdict on the run in this folder; or, with `begins` behind it, get it ready for the job that begins.

    0, or the exit code of what is wrong with it.
    """
    try:
        run = Run.open(Path(os.fspath(arguments[0])))
        if arguments[1:] == ["begins"]:
            restarts = os.environ.get("SLURM_RESTART_COUNT", "")
            begins(run, os.environ.get("SLURM_JOB_ID", ""), int(restarts) if restarts.isdecimal() else 0)
        else:
            print(verdict(run))
    except GoemoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
