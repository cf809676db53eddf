"""What lies at a path: the data files of a file, a folder, a gzip file or a zip archive, and their splits."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

from kubepipe.errors import InputError
from kubepipe.passages.sniff import sniff
from kubepipe.passages.unpack import MAX_MEMBERS, Budget, check_zip, counted

SplitName = Literal["train", "validation", "test"]

_DATA_SUFFIXES: Final = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow")
_NO_DATA: Final = frozenset(
    {"dataset_info.json", "dataset_infos.json", "state.json", "dataset_dict.json", "manifest.json"}
)
_SPLIT: Final = re.compile(
    r"(?:^|[^a-z])(?:(train(?:ing)?)|(dev(?:elopment)?|val(?:id|idation)?|eval(?:uation)?)|(test(?:ing)?))"
    r"(?:set|data|split)?(?:[^a-z]|$)"
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a source.

    Attributes:
        name: Name relative to the source, with forward slashes.
        place: What an error calls it.
        open: Opens the unpacked bytes as a stream that counts them.
        path: The file itself, when it lies unpacked on the disk.
    """

    name: str
    place: str
    open: Callable[[], io.BufferedReader]
    path: Path | None = None

    @property
    def base(self) -> str:
        """Name without folders."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose files can be read.

    Attributes:
        members: All files by name, in sorted order; for a single file just this one.
        packing: How it is packed: "gzip", "zip", or nothing.
        is_single: Whether the source is one file, whose name says nothing about splits.
        budget: What all members together may unpack to.
    """

    members: dict[str, Member]
    packing: str
    is_single: bool
    budget: Budget

    def data_members(self) -> list[Member]:
        """Members that may hold data, by their names."""
        if self.is_single:
            return list(self.members.values())
        return [member for member in self.members.values() if is_data_name(member.name)]


def is_data_name(name: str) -> bool:
    """Whether a file of a folder or archive may hold data, by its name."""
    parts = name.lower().split("/")
    if any(part.startswith((".", "__")) for part in parts) or parts[-1] in _NO_DATA:
        return False
    return parts[-1].removesuffix(".gz").endswith(_DATA_SUFFIXES)


def split_of(name: str) -> SplitName | None:
    """Split that a file's name or else its folders' names tell, for example `data/train-00000.parquet`."""
    for part in reversed(name.lower().split("/")):
        found = _SPLIT.search(part)
        if found:
            return "train" if found[1] else "validation" if found[2] else "test"
    return None


@contextmanager
def open_source(path: Path, max_bytes: int) -> Iterator[Opened]:
    """Open a file, a folder, a gzip file or a zip archive; nothing is unpacked to the disk.

    Raises:
        InputError: There is nothing, nothing readable, or nothing that can be trusted.
    """
    place = str(path)
    with ExitStack() as stack:
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                opened = _open_folder(path, max_bytes)
            elif stat.S_ISREG(mode):
                opened = _open_file(path, max_bytes, stack)
            else:
                raise InputError("is neither a file nor a folder", place=place, remedy="Write the data to a file first")
        except FileNotFoundError:
            raise InputError("does not exist", place=place, remedy="Check the path") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"cannot be read ({reason})", place=place, remedy="Check its permissions") from error
        yield opened


def _open_folder(path: Path, max_bytes: int) -> Opened:
    budget = Budget(str(path), max_bytes)
    members = {}
    for file in _walk(path):
        name = file.relative_to(path).as_posix()
        members[name] = Member(name, f"{path}/{name}", _file_opener(file, budget), file)
    opened = Opened(members, "", is_single=False, budget=budget)
    if not opened.data_members() and not _NO_DATA & {member.base for member in members.values()}:
        raise InputError(
            f"holds no data files ({', '.join(_DATA_SUFFIXES)})",
            place=str(path),
            remedy="Name the folder with the data",
        )
    return opened


def _walk(path: Path) -> list[Path]:
    """Ordinary files below a folder, sorted; hidden folders are left out, links to folders are not followed."""
    files = []
    for folder, below, names in os.walk(path, onerror=_raise):
        below[:] = [name for name in below if not name.startswith(".")]
        files += [file for file in (Path(folder, name) for name in names) if file.is_file()]
        if len(files) > MAX_MEMBERS:
            raise InputError(
                f"holds more than {MAX_MEMBERS} files", place=str(path), remedy="Name the folder with the data"
            )
    return sorted(files)


def _raise(error: OSError) -> None:
    raise error


def _file_opener(path: Path, budget: Budget) -> Callable[[], io.BufferedReader]:
    """Opens a file, through gzip where its first bytes say so."""

    def open_file() -> io.BufferedReader:
        place = str(path)
        try:
            with path.open("rb") as file:
                head = file.read(512)
            kind = sniff(head, place) if head else "text"
            if kind == "zip":
                raise InputError(
                    "is an archive inside a folder", place=place, remedy="Name the archive itself, or unpack it"
                )
            # The counting stream closes it.
            stream = cast("BinaryIO", gzip.open(path) if kind == "gzip" else path.open("rb"))  # noqa: SIM115
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"cannot be read ({reason})", place=place, remedy="Check its permissions") from error
        return counted(stream, budget, place)

    return open_file


def _open_file(path: Path, max_bytes: int, stack: ExitStack) -> Opened:
    place = str(path)
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise InputError("is empty", place=place, remedy="Give a file with questions and answers")
    size = path.stat().st_size
    kind = sniff(head, place)
    if kind == "zip":
        return _open_zip(path, Budget(place, max_bytes, packed_bytes=size), stack)
    if kind == "gzip":
        budget = Budget(place, max_bytes, packed_bytes=size)
        member = Member(path.name, place, _file_opener(path, budget))
        return Opened({path.name: member}, "gzip", is_single=True, budget=budget)
    budget = Budget(place, max_bytes)
    if size > max_bytes:
        budget.spend(size)
    member = Member(path.name, place, _file_opener(path, budget), path)
    return Opened({path.name: member}, "", is_single=True, budget=budget)


def _open_zip(path: Path, budget: Budget, stack: ExitStack) -> Opened:
    place = str(path)
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError("is a damaged zip archive", place=place, remedy="Copy or pack it again") from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    check_zip(infos, budget)
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise InputError("is an Office file", place=place, remedy="Export the sheet as CSV (UTF-8)")
    members = {
        info.filename: Member(info.filename, f"{place}, {info.filename}", _zip_opener(archive, info, budget))
        for info in sorted(infos, key=lambda info: info.filename)
    }
    opened = Opened(members, "zip", is_single=False, budget=budget)
    data = opened.data_members()
    if not data and not _NO_DATA & {member.base for member in members.values()}:
        raise InputError(
            f"holds no data files ({', '.join(_DATA_SUFFIXES)})", place=place, remedy="Pack the data files themselves"
        )
    return opened


def _zip_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Callable[[], io.BufferedReader]:
    def open_member() -> io.BufferedReader:
        try:
            stream = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
            raise InputError("is a damaged zip archive", place=budget.place, remedy="Copy or pack it again") from error
        return counted(cast("BinaryIO", stream), budget, f"{budget.place}, {info.filename}")

    return open_member
