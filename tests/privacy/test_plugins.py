"""Plug-ins: further detectors that the policy names or that are installed."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import Any

import pytest

from kubepipe.errors import MissingExtraError, SettingsError
from kubepipe.privacy import Detector, Span
from kubepipe.privacy.detect import plugins
from kubepipe.privacy.detect.plugins import ENTRY_POINTS, check_detectors, plug_ins

TEXT = "Order KX-Alpha went to Ada Lind."


def finds_orders(text: str, language: str) -> Iterator[Span]:
    """A plug-in that knows the orders of a company."""
    assert language == "en"
    start = text.find("KX-Alpha")
    if start >= 0:
        yield Span(start, start + len("KX-Alpha"), "CODE", "OTHER", "whatever", 1.0)


def fails(text: str, _: str) -> Iterator[Span]:
    """A plug-in that breaks and quotes the text."""
    raise RuntimeError(text)


def points_beside(text: str, _: str) -> Iterator[Span]:
    """A plug-in that counts bytes."""
    yield Span(0, len(text) + 1, "CODE", "DIRECT", "x", 1.0)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs plug-ins of this file by name."""

    def install(**functions: str) -> None:
        def entries(*, group: str) -> list[EntryPoint]:
            assert group == ENTRY_POINTS
            return [EntryPoint(name, f"{__name__}:{function}", group) for name, function in functions.items()]

        monkeypatch.setattr(plugins, "entry_points", entries)
        monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _module())

    return install


def _module() -> Any:
    module = types.ModuleType(__name__)
    module.__dict__.update(globals())
    return module


def test_an_installed_plug_in_is_used_unless_the_policy_names_others(installed: Callable[..., None]) -> None:
    """Null takes all, an empty list none, a name that one."""
    installed(orders="finds_orders", broken="fails")
    assert len(plug_ins(None, "en")) == 2
    assert plug_ins((), "en") == []
    detector = Detector(None, "en", plug_ins(("orders",), "en"))
    found = {TEXT[span.start : span.end]: span for span in detector.detect([TEXT])[0]}
    assert (found["KX-Alpha"].source, found["KX-Alpha"].cls) == ("plugin:orders", "DIRECT")


def test_an_unknown_name_lists_what_there_is(installed: Callable[..., None]) -> None:
    """The setting is named."""
    installed(orders="finds_orders")
    with pytest.raises(SettingsError, match=r"privacy.detectors: there is no detector 'ordres'.*orders, presidio"):
        plug_ins(("ordres",), "en")
    with pytest.raises(SettingsError, match="ordres"):
        check_detectors(("ordres",))
    check_detectors(("orders",))
    check_detectors(None)


@pytest.mark.parametrize("function", ["fails", "points_beside", "is_not_there"])
def test_a_broken_plug_in_ends_the_run_without_quoting_the_text(installed: Callable[..., None], function: str) -> None:
    """It is not left out in silence: what it would have found would stay in the data."""
    installed(broken=function)
    with pytest.raises(SettingsError, match="broken") as caught:
        Detector(None, "en", plug_ins(None, "en")).detect([TEXT])
    assert "Ada" not in str(caught.value)
    assert "Ada" not in repr(caught.value.__cause__)


@pytest.mark.skipif(find_spec("presidio_analyzer") is not None, reason="presidio-analyzer is installed")
def test_presidio_names_its_extra_where_it_is_missing() -> None:
    """One line with the command."""
    with pytest.raises(MissingExtraError, match=r"kubepipe\[presidio\]"):
        plug_ins(("presidio",), "en")


@pytest.mark.skipif(find_spec("presidio_analyzer") is None, reason="presidio-analyzer is not installed")
def test_presidio_finds_what_its_recognisers_know() -> None:
    """Offsets are code points, also behind an emoji."""
    text = "\U0001f600 Wire it to GB82 WEST 1234 5698 7654 32 or write to ada.lind@example.org."
    detector = Detector(None, "en", plug_ins(("presidio",), "en"))
    raw = {
        text[span.start : span.end]: span.type
        for plug_in in plug_ins(("presidio",), "en")
        for span in plug_in(text, "en")
    }
    assert raw["ada.lind@example.org"] == "EMAIL"
    assert raw["GB82 WEST 1234 5698 7654 32"] == "IBAN"
    assert {"EMAIL", "IBAN"} <= {span.type for span in detector.detect([text])[0]}
