"""What a further attempt of a step must not do again.

KFP's retries know no reasons: a data set that is none would be read three times. An attempt that finds that the one
before it ended for good (bad input, the privacy gate, something not intact, another run at work) ends at once with the
same error. What a later attempt may not meet again (the store, the node) is worked again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import structlog

from kubepipe.errors import IntegrityError, KubePipeError
from kubepipe.records.step import read_step_record
from kubepipe.storage import Store

FINAL_CODES: Final = frozenset({2, 3, 4, 5})
"""Exit codes of the error tree that no retry changes: input, quarantined, not intact, fenced."""
_MAY_PASS: Final = frozenset({"OutputError"})
"""Errors with such a code that a store or a full disk may raise for a while."""

_LOG = structlog.get_logger(__name__)


class RepeatedError(KubePipeError):
    """The attempt before ended for good; this one did not work again.

    Args:
        message: The line of that attempt.
        exit_code: Its exit code.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def attempt() -> int:
    """Number of this attempt of the step, from 1, as KFP counts."""
    return int(os.environ.get("KFP_RETRY_INDEX") or "0") + 1


def failed_attempts(store: Store, run: str, step: str) -> tuple[Mapping[str, Any], ...]:
    """Energy records of the attempts at a step of a run that failed and said so: what they took, the run took."""
    try:
        record = read_step_record(store, run, step)
    except IntegrityError as error:
        _LOG.warning("what earlier attempts took is not known", step=step, error=error.one_line())
        return ()
    return () if record is None or record.status != "failed" else (*record.earlier, record.energy)


def refuse_repetition(store: Store, run: str, step: str) -> None:
    """End a further attempt whose predecessor failed for good; its record stays as that one wrote it.

    Raises:
        RepeatedError: The attempt before says so in the step's record.
    """
    if attempt() == 1:
        return
    record = read_step_record(store, run, step)
    if record is None or record.error is None:
        return
    if record.error.exit_code in FINAL_CODES and record.error.type not in _MAY_PASS:
        _LOG.error("not tried again", step=step, error=record.error.message)
        raise RepeatedError(record.error.message, record.error.exit_code)
