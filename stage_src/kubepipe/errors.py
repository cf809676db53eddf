"""Every error that KubePipe raises on purpose.

    KubePipeError               exit 1
    ├── UserError               exit 2   bad input, settings or environment; nothing was written
    │   ├── InputError                   a data set that cannot be read
    │   ├── SettingsError                an unknown or wrong setting
    │   ├── ModelNotFoundError           a model name that does not resolve offline
    │   ├── MissingExtraError            a library of another extra is needed
    │   ├── AccessError                  a right that the caller lacks
    │   └── OutputError                  a place that cannot be written
    ├── QuarantinedError        exit 3   the privacy gate said no, or asks for a person
    ├── IntegrityError          exit 4   a digest, signature or permit does not hold
    ├── FencedError             exit 5   another run works on the same version of an object
    ├── TrainingError           exit 1   training could not go on
    └── StepFailedError         exit 1   a step of a run failed; its record says why

A message is one line: where, what happened with which value, and what to do about it. No value of a data set ever
appears in one: positions, counts and names of columns only.
"""

from __future__ import annotations


class KubePipeError(Exception):
    """Base of all KubePipe errors.

    Args:
        message: What happened, with the offending value (never a value of a data set).
        place: Where: a path, a line, a setting.
        remedy: What the user can do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, place: str | None = None, remedy: str | None = None) -> None:
        self.message = message
        self.place = place
        self.remedy = remedy
        super().__init__(self.one_line())

    def one_line(self) -> str:
        """The whole error as one line without line breaks."""
        head = f"{self.place}: {self.message}" if self.place else self.message
        text = f"{head.rstrip('.')}. {self.remedy}" if self.remedy else head
        return " ".join(text.split())

    def relocate(self, place: str) -> None:
        """Name another place, for example one that keeps a name back."""
        self.place = place
        self.args = (self.one_line(),)


class UserError(KubePipeError):
    """Something the user gave is wrong; nothing was written."""

    exit_code = 2


class InputError(UserError):
    """A data set cannot be read as questions and answers."""


class SettingsError(UserError):
    """A setting is unknown or has a wrong value."""


class ModelNotFoundError(UserError):
    """A model name resolves to nothing on this machine."""


class MissingExtraError(UserError):
    """A library of an extra that is not installed is needed."""


class AccessError(UserError):
    """The caller lacks a right; the remedy names it."""


class OutputError(UserError):
    """The output cannot be written."""


class BusyError(OutputError):
    """Another run holds the folder."""


class QuarantinedError(KubePipeError):
    """The privacy gate did not let the data pass."""

    exit_code = 3


class IntegrityError(KubePipeError):
    """A digest, a signature or a permit does not hold."""

    exit_code = 4


class FencedError(KubePipeError):
    """Another run works on the same version of an object, so this one ends at once."""

    exit_code = 5


class TrainingError(KubePipeError):
    """Training could not go on."""


class StepFailedError(KubePipeError):
    """A step of a run failed."""
