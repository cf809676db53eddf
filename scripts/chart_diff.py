"""What an upgrade of the chart would change: its objects as another commit renders them, against this checkout's.

    chart_diff.py v0.1.0                     against a tag or commit, with the default values and every file in ci/
    chart_diff.py v0.1.0 --values my.yaml    with one's own values only

Prints a unified diff of objects, by kind and name, and a line of counts. Content of secrets is masked, for it is made
anew at each rendering. Ends with 0 whether or not something differs, with 2 when the chart cannot be rendered.
"""

from __future__ import annotations

import argparse
import difflib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = "charts/kubepipe"
Objects = Mapping[str, str]


class RenderError(Exception):
    """Helm or Git did not do it; the message is theirs."""


def rendered(chart: Path, values: Path | None) -> Objects:
    """Every object of a rendering as text, by kind and name.

    Raises:
        RenderError: Helm refuses.
    """
    beside = Path(sys.executable).with_name("helm")
    helm = str(beside) if beside.is_file() else "helm"
    more = [f"--values={values}"] if values else []
    command = [helm, "template", "kubepipe", str(chart), "--namespace=models", *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RenderError(done.stderr.strip())
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [each for each in yaml.load_all(done.stdout, Loader=loader) if each]
    return {f"{each['kind']}/{each['metadata']['name']}": _text(each) for each in documents}


def _text(document: dict[str, Any]) -> str:
    if document["kind"] == "Secret":
        document["data"] = dict.fromkeys(document.get("data") or {}, "masked")
    return yaml.safe_dump(document, sort_keys=True, width=1000)


def diff(old: Objects, new: Objects) -> Iterator[str]:
    """Unified diff, object by object; an object that came or went is shown whole."""
    for name in sorted({*old, *new}):
        before, after = (each.get(name, "").splitlines(keepends=True) for each in (old, new))
        yield from difflib.unified_diff(before, after, f"old {name}", f"new {name}", n=2)


def counts(old: Objects, new: Objects) -> str:
    """How many objects came, went and changed."""
    changed = [name for name in old if name in new and old[name] != new[name]]
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()
    return f"{len(added)} added, {len(removed)} removed, {len(changed)} changed"


def checkout(reference: str, folder: Path) -> Path:
    """The chart as a commit has it.

    Raises:
        RenderError: There is no such commit, or it has no chart.
    """
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", reference, CHART]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode != 0:
        raise RenderError(done.stderr.decode().strip())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / CHART


def main(arguments: list[str] | None = None) -> int:
    """Print the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", help="tag or commit of the older chart")
    parser.add_argument("--values", type=Path, help="values to render both with")
    options = parser.parse_args(arguments)
    scenarios = [options.values] if options.values else [None, *sorted((ROOT / CHART / "ci").glob("*-values.yaml"))]
    try:
        with tempfile.TemporaryDirectory() as folder:
            older = checkout(options.reference, Path(folder))
            for values in scenarios:
                old, new = rendered(older, values), rendered(ROOT / CHART, values)
                print(f"== {values.name if values else 'default values'}: {counts(old, new)}")
                sys.stdout.writelines(diff(old, new))
    except RenderError as error:
        print(f"chart_diff: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
