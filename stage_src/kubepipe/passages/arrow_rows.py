"""Parquet and Arrow files, and folders saved by `datasets`.

`Dataset.save_to_disk` writes Arrow files and names them in `state.json`; `DatasetDict.save_to_disk` does so in a folder
per split. They are read here as what they are, Arrow files: importing `datasets` costs seconds, and not every image has
it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, Final

from kubepipe.errors import InputError
from kubepipe.passages.columns import RowReader
from kubepipe.passages.opening import Member
from kubepipe.passages.raw import RawQuestion
from kubepipe.passages.tally import Tally
from kubepipe.settings import Columns

_ROWS_AT_ONCE: Final = 256
_REMEDY: Final = "The file is damaged: export or copy it again"


def read_parquet(
    stream: io.BufferedReader, member: Member, columns: Columns, tally: Tally
) -> tuple[str, Iterator[RawQuestion]]:
    """A Parquet file as its format and its questions, read batch by batch.

    Raises:
        InputError: The file is damaged or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    reader = RowReader(member.place, columns, tally)
    try:
        file = pq.ParquetFile(member.path or pa.BufferReader(stream.read()))
    except (pa.ArrowException, OSError) as error:
        raise InputError("is no readable Parquet file", place=member.place, remedy=_REMEDY) from error
    reader.check_header(file.schema_arrow.names)
    return "parquet", _batches(lambda: file.iter_batches(batch_size=_ROWS_AT_ONCE), reader)


def read_arrow(
    stream: io.BufferedReader, member: Member, columns: Columns, tally: Tally
) -> tuple[str, Iterator[RawQuestion]]:
    """An Arrow file, in the stream or the file layout, as its format and its questions.

    Raises:
        InputError: The file is damaged or lacks a column.
    """
    import pyarrow as pa

    reader = RowReader(member.place, columns, tally)
    try:
        source = pa.memory_map(str(member.path)) if member.path else pa.BufferReader(stream.read())
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        table = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
    except (pa.ArrowException, OSError) as error:
        raise InputError("is no readable Arrow file", place=member.place, remedy=_REMEDY) from error
    reader.check_header(table.schema.names)

    def batches() -> Iterator[Any]:
        found = (table.get_batch(index) for index in range(table.num_record_batches)) if is_file else table
        for batch in found:
            for offset in range(0, batch.num_rows, _ROWS_AT_ONCE):
                yield batch.slice(offset, _ROWS_AT_ONCE)

    return "datasets", _batches(batches, reader)


def _batches(batches: Any, reader: RowReader) -> Iterator[RawQuestion]:
    import pyarrow as pa

    number = 0
    try:
        for batch in batches():
            for row in batch.to_pylist():
                number += 1
                yield reader.read(row, number)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read after row {number}", place=reader.place, remedy=_REMEDY) from error
    reader.finish()


def saved_members(members: dict[str, Member]) -> list[Member]:
    """Arrow files of a folder saved by `datasets`, in their order; empty when it is no such folder.

    Raises:
        InputError: The folder names files that are not there.
    """
    states = [name for name in members if name.rsplit("/", 1)[-1] == "state.json"]
    found = []
    for state in sorted(states):
        folder = state.removesuffix("state.json")
        for base in _shards(members[state]):
            member = members.get(folder + base)
            if member is None:
                raise InputError(
                    "an Arrow file of the saved data set is missing", place=members[state].place, remedy="Save it again"
                )
            found.append(member)
    return found


def _shards(state: Member) -> list[str]:
    """File names of `state.json`."""
    try:
        with state.open() as stream:
            files = json.load(stream)["_data_files"]
        return [str(file["filename"]) for file in files]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("does not describe a saved data set", place=state.place, remedy="Save it again") from error
