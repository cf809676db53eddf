"""Fixtures for the tests of the controller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    """The program sets up the log for its process; here it would keep one test's captured stream for the others."""
    yield
    structlog.reset_defaults()
