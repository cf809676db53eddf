"""Where a server takes its release from."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kubepipe.errors import IntegrityError
from kubepipe.releases import BrokenHopError, Verified, current, drop_copies, local_copy, verify_release
from kubepipe.storage import Store


@dataclass(frozen=True, slots=True)
class Source:
    """A store, or one release in it.

    Attributes:
        store: Where releases lie.
        keys: Public keys of model signatures, or folders with them; read again for each release.
        cache: Folder for copies out of a bucket, of one server alone.
        permit_key: Public key of the permits, where it is known.
        release: The one release that is served; None serves the current one and watches.
        folder: A release's folder that lies in no store.
    """

    store: Store
    keys: tuple[Path, ...]
    cache: Path
    permit_key: Path | None = None
    release: str | None = None
    folder: Path | None = None

    def wanted(self) -> str:
        """Digest of the release that is to be served; the path of a folder that lies in no store.

        Raises:
            IntegrityError: Nothing is published.
        """
        if self.folder is not None:
            return str(self.folder)
        if self.release is not None:
            return self.release
        entry = current(self.store)
        if entry is None:
            raise IntegrityError("nothing is published", place=self.store.url, remedy="Publish a model first")
        return entry.release

    def fetch(self, wanted: str) -> Verified:
        """The release, on this machine and checked.

        Raises:
            BrokenHopError: It does not hold.
        """
        if self.folder is not None:
            return verify_release(self.folder, self.keys, permit_key=self.permit_key)
        folder = local_copy(self.store, wanted, self.cache)
        try:
            return verify_release(folder, self.keys, digest=wanted, permit_key=self.permit_key)
        except BrokenHopError:
            # Fetched anew next time: what does not hold here may hold in the store, or be mended there.
            if folder.parent == self.cache:
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def tidy(self, *keep: str) -> None:
        """Remove local copies of all other releases."""
        drop_copies(self.store, self.cache, keep=keep)
