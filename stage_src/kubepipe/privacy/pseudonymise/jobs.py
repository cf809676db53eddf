"""Surrogates of jobs: another job of Faker's list, chosen by the key."""

from __future__ import annotations

from functools import cache
from typing import Final

from kubepipe.privacy.entities.tokens import fold
from kubepipe.privacy.pseudonymise.keyed import keyed_number

_MOST_WORDS: Final = 3


def job_surrogate(job: str, key: bytes) -> str:
    """Another job, always the same for the same job under one key; written with a capital where the job was."""
    names = _jobs()
    name = names[keyed_number(key, "job", fold(job)) % len(names)]
    if fold(name) == fold(job):
        name = names[(names.index(name) + 1) % len(names)]
    return name if job[:1].isupper() else name[:1].lower() + name[1:]


@cache
def _jobs() -> tuple[str, ...]:
    from faker.providers.job import Provider

    plain = (job for job in Provider.jobs if "," not in job and "(" not in job and "/" not in job)
    return tuple(sorted(job for job in plain if len(job.split()) <= _MOST_WORDS))
