"""The pipelines API answers, and knows the pipeline where one was to be registered."""

# ruff: noqa: INP001 - a script of its own

import json
import urllib.parse
import urllib.request
from pathlib import Path

from patience import patiently

setup = json.loads(Path("/etc/kubepipe/setup.json").read_text(encoding="utf-8"))
base = setup["kfp"]["endpoint"] + "/apis/v2beta1"


def get(path: str) -> dict:
    """One answer of the API."""
    with urllib.request.urlopen(base + path, timeout=10) as answer:  # noqa: S310 - the chart writes the address
        return json.load(answer)


def problem() -> str | None:
    """What is wrong, or None."""
    get("/healthz")
    if "pipeline" not in setup:
        return None
    name = setup["pipeline"]["name"]
    wanted = {"predicates": [{"operation": "EQUALS", "key": "name", "stringValue": name}]}
    if get("/pipelines?filter=" + urllib.parse.quote(json.dumps(wanted))).get("pipelines"):
        return None
    return f"{base} knows no pipeline '{name}': look at the log of the setup job, then run `helm upgrade` again"


patiently(problem)
