"""Streams that count what they unpack, so that a small file cannot become an endless one."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from kubepipe.errors import InputError

#: Text of question-answering data packs 3 to 40 times (rows repeat their context); deflate reaches at most 1032.
MAX_RATIO: Final = 250
#: Below this many unpacked bytes nothing is refused by its ratio.
RATIO_FLOOR: Final = 32 * 1024 * 1024
MAX_MEMBERS: Final = 10_000
_SYSTEM_UNIX: Final = 3
_ENCRYPTED: Final = 0x1


@dataclass(slots=True)
class Budget:
    """How many bytes a source may still unpack to.

    Attributes:
        place: The source, for the error.
        max_bytes: Most unpacked bytes, all members together.
        packed_bytes: Size of the packed file; None where nothing is packed.
        used: Bytes unpacked so far.
    """

    place: str
    max_bytes: int
    packed_bytes: int | None = None
    used: int = field(default=0)

    def spend(self, amount: int) -> None:
        """Count bytes that came out of the source.

        Raises:
            InputError: More came out than the settings allow, or far more than a data set packs.
        """
        self.used += amount
        if self.used > self.max_bytes:
            raise InputError(
                f"holds more than {self.max_bytes} bytes",
                place=self.place,
                remedy="Give a smaller piece, or raise dataset.max_bytes",
            )
        if self.packed_bytes is None or self.used <= RATIO_FLOOR:
            return
        if self.used > MAX_RATIO * self.packed_bytes:
            raise InputError(
                f"unpacks to more than {MAX_RATIO} times its size, as an archive bomb does",
                place=self.place,
                remedy="If it is good data, unpack it yourself and give the folder",
            )


class CountedReader(io.RawIOBase):
    """A stream that counts its bytes against a budget and reports damage as one clear error."""

    def __init__(self, source: BinaryIO, budget: Budget, place: str) -> None:
        super().__init__()
        self._source = source
        self._budget = budget
        self._place = place

    def readable(self) -> bool:
        """Always: this stream is read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with the next bytes.

        Raises:
            InputError: The packed data is damaged, or the budget is used up.
        """
        view = memoryview(buffer)
        try:
            data = self._source.read(len(view))
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise InputError(
                f"cannot be unpacked ({type(error).__name__})",
                place=self._place,
                remedy="The file is damaged or packed in an unusual way: pack it again",
            ) from error
        self._budget.spend(len(data))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the stream below too."""
        self._source.close()
        super().close()


def counted(source: BinaryIO, budget: Budget, place: str) -> io.BufferedReader:
    """A buffered stream over a source that counts its bytes."""
    return io.BufferedReader(CountedReader(source, budget, place), buffer_size=1024 * 1024)


def check_zip(infos: list[zipfile.ZipInfo], budget: Budget) -> None:
    """Refuse an archive whose table of contents is hostile, before anything is unpacked.

    Raises:
        InputError: A name leaves the archive, is given twice, is a link or encrypted; too many or too large members.
    """
    place = budget.place
    if len(infos) > MAX_MEMBERS:
        raise InputError(f"holds more than {MAX_MEMBERS} files", place=place, remedy="Pack fewer, larger files")
    if len({info.filename for info in infos}) < len(infos):
        raise InputError("holds the same file name twice", place=place, remedy="Pack it again")
    for number, info in enumerate(infos, start=1):
        reason = _hostile(info)
        if reason:
            # The name itself is not shown: it may be made up to harm a terminal.
            raise InputError(f"file {number} of the archive {reason}", place=place, remedy="Do not trust this archive")
    if sum(info.file_size for info in infos) > budget.max_bytes:
        raise InputError(
            f"unpacks to more than {budget.max_bytes} bytes",
            place=place,
            remedy="Give a smaller piece, or raise dataset.max_bytes",
        )


def _hostile(info: zipfile.ZipInfo) -> str | None:
    """Why a member cannot be trusted; None when nothing speaks against it."""
    name = info.orig_filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_absolute = name.startswith(("/", "\\")) or name[1:2] == ":"
    if is_absolute or ".." in parts:
        return "has a path that leads out of it"
    if not name.isprintable():
        return "has a name with control characters"
    mode = info.external_attr >> 16
    if (
        info.create_system == _SYSTEM_UNIX
        and mode
        and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or not stat.S_IFMT(mode))
    ):
        return "is a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None
