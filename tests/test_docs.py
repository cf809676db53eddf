from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_generated_documents_are_what_the_code_says() -> None:
    """`make docs` renews docs/settings.md and docs/cli.md; neither may drift."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_docs.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"])
def test_links_between_documents_lead_somewhere(page: str) -> None:
    """No document names a file that is not there."""
    file = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8")):
        assert (file.parent / target).exists(), f"{page} links to {target}"


def test_every_target_of_the_makefile_is_listed_by_help() -> None:
    """A target without a description cannot be found."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)[1].split())  # type: ignore[index]
    assert named == set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
