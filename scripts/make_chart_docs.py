"""Writes what is generated of the chart: values.yaml, its schema, README.md, images.txt, and a snapshot of its objects.

    make_chart_docs.py            write them
    make_chart_docs.py --check    end with an error when one of them is not what would be written

Values and their descriptions come from chart_values.py beside this script. images.txt is what a rendering with
everything switched on names; that needs `helm`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from chart_values import Values, defaults
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = ROOT / "charts" / "kubepipe"
WIDTH: Final = 110
SETTINGS: Final = ("pipeline.settings", "serving.settings")
ENGINES: Final = ("kubeflowPipelines", "argoWorkflows", "argoEvents", "minio", "mariadb")
HEAD: Final = "# Generated from scripts/chart_values.py by scripts/make_chart_docs.py: change the descriptions there.\n"
_IMAGE: Final = re.compile(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9._/-]+:[A-Za-z0-9._-]+(?:@sha256:[0-9a-f]{64})?")


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, type[BaseModel] | None]]:
    """Names as they stand in values, their descriptions, and the model of those that are sections."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        section = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
        yield field.alias or name, field, section


def values_yaml() -> str:
    """Default values, each below its description."""
    lines = [HEAD]
    _write(lines, Values, defaults(), depth=0, path="")
    return "\n".join(lines) + "\n"


def _write(lines: list[str], model: type[BaseModel], values: Mapping[str, Any], *, depth: int, path: str) -> None:
    pad = "  " * depth
    for name, field, section in fields(model):
        if name not in values:
            continue
        here = f"{path}{name}"
        if depth == 0 and len(lines) > 1:
            lines.append("")
        text = field.description or ""
        if section is not None and section.__doc__ and depth == 0:
            text = " ".join(section.__doc__.split())
        lines += [f"{pad}# {line}" for line in textwrap.wrap(text, WIDTH - len(pad))]
        if section is not None and here not in SETTINGS and values[name]:
            lines.append(f"{pad}{name}:")
            _write(lines, section, values[name], depth=depth + 1, path=f"{here}.")
        else:
            dumped = yaml.safe_dump({name: values[name]}, sort_keys=False, width=1000, allow_unicode=True)
            lines += [f"{pad}{line}" for line in dumped.splitlines()]


def schema() -> str:
    """JSON Schema of the values, in the draft that every version of Helm reads."""
    document = Values.model_json_schema(by_alias=True, mode="validation")
    for name, _, section in fields(Values):
        if section is not None and name in ENGINES:
            # Helm hands `global` down to every subchart before it looks at the schema.
            document["$defs"][section.__name__]["properties"]["global"] = {"$ref": "#/$defs/Global"}
    document["properties"]["library"] = {"type": "object", "description": "Nothing to set; Helm puts `global` here."}
    text = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **document}, indent=2, ensure_ascii=False)
    return text.replace('"$defs"', '"definitions"').replace("#/$defs/", "#/definitions/") + "\n"


def table(model: type[BaseModel], values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Rows of the values table: key, default, description."""
    for name, field, section in fields(model):
        here = f"{path}{name}"
        if section is not None and here not in SETTINGS and name in values:
            yield from table(section, values[name], f"{here}.")
        elif name in values:
            shown = json.dumps(values[name], ensure_ascii=False)
            shown = f"`{shown}`" if len(shown) <= 60 else "see values.yaml"  # noqa: PLR2004 - the width of a column
            yield f"| `{here}` | {shown} | {(field.description or '').replace('|', chr(92) + '|')} |"


def readme() -> str:
    """The chart's README: the text of files/README.gotmpl.md and the table of all values."""
    text = (CHART / "files" / "readme-head.md").read_text(encoding="utf-8")
    rows = "\n".join(table(Values, defaults()))
    return f"{text}\n## All values\n\n| Key | Default | Description |\n|---|---|---|\n{rows}\n"


def everything() -> list[str]:
    """Arguments of `helm template` that switch on every part which brings an image."""
    return [
        "--set=argoEvents.enabled=true,kubeflowPipelines.ui.enabled=true,serving.enabled=true,pipeline.configMap=any",
        "--api-versions=argoproj.io/v1alpha1/Workflow",
    ]


def render(*arguments: str) -> str:
    """The chart as Helm renders it; the Helm beside this Python goes before the one on the PATH."""
    beside = Path(sys.executable).with_name("helm")
    helm = str(beside) if beside.is_file() else "helm"
    done = subprocess.run(
        [helm, "template", "kubepipe", str(CHART), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


def images() -> str:
    """Every image that the product uses, one a line, sorted."""
    lines = [line for line in render(*everything()).splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(sorted(set(_IMAGE.findall("\n".join(lines))))) + "\n"


def snapshot() -> str:
    """All objects of a plain install, secrets masked: its changes are what an upgrade will do."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [each for each in yaml.load_all(render("--set=pipeline.configMap=any"), Loader=loader) if each]
    for each in documents:
        if each["kind"] == "Secret":
            each["data"] = dict.fromkeys(each["data"], "masked")
    documents.sort(key=lambda each: (each["kind"], each["metadata"]["name"]))
    return yaml.safe_dump_all(documents, sort_keys=True, width=1000)


FILES: Final = {
    CHART / "values.yaml": values_yaml,
    CHART / "values.schema.json": schema,
    CHART / "README.md": readme,
    # The next two render the chart with the files above.
    CHART / "images.txt": images,
    ROOT / "tests" / "chart" / "snapshots" / "default.yaml": snapshot,
}


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = []
    for path, make in FILES.items():
        text = make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"{'stale' if check else 'written'}: {', '.join(stale)}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
