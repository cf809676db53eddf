"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach a model hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the large public data sets; tests that need it are left out where it is not."""
    folder = os.environ.get("KUBEPIPE_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("KUBEPIPE_TEST_DATA names no folder with the large public data sets")
    return Path(folder)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The sample data that the repository ships."""
    return EXAMPLES
