"""Values that pin every image of the chart by its digest, for a release or a mirror.

    pin_digests.py > digests.yaml                           ask each image's own registry
    pin_digests.py --registry mirror.example > digests.yaml ask a mirror, which the values then name too

Asks by crane, skopeo or docker buildx, whichever is there; ends with 1 and writes nothing when one image has no digest.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import yaml
from chart_values import defaults

Path = tuple[str, ...]
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
TOOLS: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "crane": lambda image: ["crane", "digest", image],
    "skopeo": lambda image: ["skopeo", "inspect", "--format={{.Digest}}", f"docker://{image}"],
    "docker": lambda image: ["docker", "buildx", "imagetools", "inspect", "--format={{.Manifest.Digest}}", image],
}


def images(values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Every image of the values with its path."""
    for name, value in values.items():
        if not isinstance(value, dict):
            continue
        if {"registry", "repository", "tag"} <= set(value):
            yield (*path, name), value
        else:
            yield from images(value, (*path, name))


def pinned(ask: Callable[[str], str], registry: str = "") -> dict[str, Any]:
    """The values with all digests."""
    document: dict[str, Any] = {"global": {"imageRegistry": registry}} if registry else {}
    for path, image in images(defaults()):
        digest = ask(f"{registry or image['registry']}/{image['repository']}:{image['tag']}")
        place = document
        for name in path:
            place = place.setdefault(name, {})
        place["digest"] = digest
    return document


def asker(tool: str) -> Callable[[str], str]:
    """Asks a registry for the digest of an image.

    Raises (when asked):
        LookupError: The tool tells none.
    """

    def ask(image: str) -> str:
        done = subprocess.run(TOOLS[tool](image), check=False, capture_output=True, text=True)
        found = _DIGEST.search(done.stdout)
        if done.returncode != 0 or found is None:
            raise LookupError(f"{image} has no digest: {' '.join(done.stderr.split())}")
        return found[0]

    return ask


def main(arguments: list[str] | None = None) -> int:
    """Write the values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registry", default="", help="mirror that holds all images")
    parser.add_argument("--tool", choices=TOOLS, help="what to ask with")
    options = parser.parse_args(arguments)
    tool = options.tool or next((name for name in TOOLS if shutil.which(name)), None)
    if tool is None:
        print(f"pin_digests: none of {', '.join(TOOLS)} is here; install one of them", file=sys.stderr)
        return 1
    try:
        document = pinned(asker(tool), options.registry)
    except (LookupError, OSError) as error:
        print(f"pin_digests: {json.dumps(str(error))}", file=sys.stderr)
        return 1
    yaml.safe_dump(document, sys.stdout, sort_keys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
