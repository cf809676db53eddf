"""A local folder as object store."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from kubepipe.errors import OutputError


class FolderStore:
    """Objects are files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        """The folder."""
        return str(self.root)

    def read(self, key: str) -> bytes | None:
        """Content of an object, or None when there is none."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Write an object at once (temporary file, then rename)."""
        path = self._path(key)
        with _explained(path):
            _temporary(path, data).replace(path)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one; a hard link decides which of two comes first."""
        path = self._path(key)
        with _explained(path):
            temporary = _temporary(path, data)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink()
        return True

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
        self._path(key).unlink(missing_ok=True)

    def erase(self, key: str) -> None:
        """Delete an object; a folder keeps no versions."""
        self.delete(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, sorted."""
        found = (file.relative_to(self.root).as_posix() for file in self.root.rglob("*") if file.is_file())
        return iter(sorted(key for key in found if key.startswith(prefix) and "/.new." not in f"/{key}"))

    def download(self, key: str, target: Path) -> bool:
        """Copy a file or a folder out of the store."""
        return copy_tree(self._path(key), target)

    def upload(self, source: Path, key: str) -> None:
        """Copy a file or a folder into the store."""
        with _explained(self._path(key)):
            copy_tree(source, self._path(key))

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or ".." in parts or key.startswith("/"):
            raise ValueError(key)
        return self.root.joinpath(*parts)


def _temporary(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return Path(name)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", place=str(path), remedy="Free space or choose another place"
        ) from error


def copy_tree(source: Path, target: Path) -> bool:
    """Copy a file or folder to a new place, by hard links where the file system allows; False when there is none.

    The target is replaced as a whole: a reader sees the old tree or the new one.
    """
    if not source.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new."))
    fresh = staging / target.name
    if source.is_dir():
        shutil.copytree(source, fresh, copy_function=_link_or_copy)
    else:
        _link_or_copy(str(source), str(fresh))
    old = staging / ".old"
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(staging)
    return True


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
