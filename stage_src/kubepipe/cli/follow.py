"""Following a run of a cluster to its end."""

from __future__ import annotations

import time
from itertools import count
from typing import Any, Final

from rich.console import Console

from kubepipe.cli.results import key_result
from kubepipe.errors import KubePipeError
from kubepipe.pipeline.remote.failures import StepFailure
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import Store

_POLL_SECONDS: Final = 3.0
_POLLS_PER_LOOK: Final = 10
"""The Workflow is large, so it is looked at only so often."""


def follow(release: Any, api: Any, run: str, console: Console) -> int:
    """Print each step as its record appears, what keeps a step from starting, and why the run failed; its exit code."""
    from kubepipe.pipeline.kfp_api import TERMINAL
    from kubepipe.pipeline.remote.runs import exit_code
    from kubepipe.records.run import load_records

    told: set[str] = set()
    with release.store() as store:
        for poll in count(1):
            state = api.run(run)["state"]
            for step, record in load_records(store, run, STAGES).items():
                if step not in told:
                    told.add(step)
                    reused = " (reused)" if record.status == "reused" else ""
                    console.print(f"{step}{reused}: {record.seconds:.1f} s, {key_result(record)}", soft_wrap=True)
            if state in TERMINAL:
                break
            if poll % _POLLS_PER_LOOK == 0:
                _tell_stuck(release.namespace, run, told, console)
            time.sleep(_POLL_SECONDS)
        failures = settled(release.namespace, store, run, state)
        code, verdict = exit_code(store, run)
    for failure in failures:
        # A step that wrote its own line has been told already.
        if failure.step not in told or code == 1:
            console.print(f"reason: {failure.message}", soft_wrap=True, markup=False)
    console.print(f"verdict {verdict}; `kubepipe fetch {run}` brings the report")
    return code


def settled(namespace: str, store: Store, run: str, state: str) -> tuple[StepFailure, ...]:
    """Why an ended run failed, with the records written that its steps could not write.

    Whoever may not read Workflows gets a note about it, and everything else all the same.
    """
    from kubepipe.pipeline.remote.runs import settle

    try:
        return settle(namespace, store, run, state)
    except KubePipeError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"note: {error.one_line()}", markup=False)
        return ()


def _tell_stuck(namespace: str, run: str, told: set[str], console: Console) -> None:
    """Without this line a missing image shows only when the step's time limit is over."""
    from kubepipe.pipeline.remote.failures import explain

    try:
        stuck = [each for each in explain(namespace, run) if not each.finished_at]
    except KubePipeError:
        # The right to read Workflows is not needed to follow a run.
        return
    for each in stuck:
        if f"waits {each.step}" not in told:
            told.add(f"waits {each.step}")
            console.print(f"waits: {each.message}", soft_wrap=True, markup=False)
