"""Destroying a run's data key: from then on nobody can open what the run has sealed, wherever copies of it lie."""

from __future__ import annotations

from dataclasses import dataclass

from kubepipe.storage import Store


@dataclass(frozen=True, slots=True)
class Shredded:
    """What was destroyed.

    Attributes:
        run: Id of the run.
        key_was_there: Whether its data key still existed.
    """

    run: str
    key_was_there: bool


def data_key_name(run: str) -> str:
    """Key of a run's wrapped data key in the store."""
    return f"keys/{run}.json"


def shred(store: Store, run: str) -> Shredded:
    """Destroy a run's data key, with all versions that the store keeps of it.

    Raises:
        OutputError: The store kept it.
    """
    was_there = store.read(data_key_name(run)) is not None
    store.erase(data_key_name(run))
    return Shredded(run, was_there)
