"""One result of a check, and what all checks have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kubepipe.errors import KubePipeError

_FORBIDDEN: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes:
        name: What was looked at.
        good: Whether it is as it should be; None when it cannot be told, or is only worth knowing.
        found: What was found.
        remedy: What to do; empty when there is nothing to do.
    """

    name: str
    good: bool | None
    found: str
    remedy: str = ""

    def one_line(self) -> str:
        """Finding and remedy as one line."""
        return " ".join(f"{self.found.rstrip('.')}. {self.remedy}".split()) if self.remedy else self.found


def guarded(name: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The results of a group of checks; what stops the group becomes a result too, so that the others go on."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield from checks()
    except ApiException as error:
        if error.status in _FORBIDDEN:
            yield Check(name, None, f"you may not look at it ({error.status} {error.reason})", "Ask for the right")
        else:
            yield Check(name, False, f"the Kubernetes API answers {error.status} {error.reason}")
    except KubePipeError as error:
        place = f"{error.place}: " if error.place else ""
        yield Check(name, False, f"{place}{error.message}", error.remedy or "")
    except HTTPError as error:
        yield Check(name, False, f"no connection ({type(error).__name__})", "Check the address and the way to it")
