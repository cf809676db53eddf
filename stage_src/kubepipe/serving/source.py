"""Where a server takes its release from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubepipe.errors import IntegrityError
from kubepipe.releases import Verified, current, local_copy, verify_release
from kubepipe.storage import Store


@dataclass(frozen=True, slots=True)
class Source:
    """A store, or one release in it.

    Attributes:
        store: Where releases lie.
        key: Public key of the model signature.
        cache: Folder for copies out of a bucket.
        permit_key: Public key of the permits, where it is known.
        release: The one release that is served; None serves the current one and watches.
        folder: A release's folder that lies in no store.
    """

    store: Store
    key: Path
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
            return verify_release(self.folder, self.key, permit_key=self.permit_key)
        folder = local_copy(self.store, wanted, self.cache)
        return verify_release(folder, self.key, digest=wanted, permit_key=self.permit_key)
