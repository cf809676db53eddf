"""The page in a real browser: narrow and wide, light and dark, on paper."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.reporting import Example, render_html

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
    "--virtual-time-budget=4000",
)  # fmt: skip

_AXE = Path(os.environ.get("AXE_CORE", "missing"))
_RUN_AXE = """axe.run().then(({passes, violations}) => {
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify([passes.length, violations.map(each => `${each.id}: ${each.help}`)]);
  document.body.append(found);
})"""

pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium on this machine")

# Frames of the wanted width, for a browser without a screen cannot be made narrower than 500 pixels.
_PROBE = """<!DOCTYPE html><body><pre id="found"></pre><script>
const found = [];
addEventListener("error", event => found.push({error: event.message}));
function contrast(view, node) {
  const light = color => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ink = light(view.getComputedStyle(node).color);
  let behind = node, paper = "rgba(0, 0, 0, 0)";
  while (behind && paper === "rgba(0, 0, 0, 0)") {
    paper = view.getComputedStyle(behind).backgroundColor; behind = behind.parentElement; }
  const back = light(paper);
  return (Math.max(ink, back) + .05) / (Math.min(ink, back) + .05);
}
function probe(width, frame) {
  const view = frame.contentWindow, page = frame.contentDocument;
  const outside = [...page.querySelectorAll("body *")].filter(node => !node.closest(".scroll, .skip, svg") &&
    node.getBoundingClientRect().right > width + 1).map(node => node.className || node.tagName);
  // A curve is drawn between the ends of its own axes.
  const askew = [...page.querySelectorAll(".lines")].filter(chart => {
    const [plot, y, x] = ["svg", ".y-axis", ".x-axis"].map(part => chart.querySelector(part).getBoundingClientRect());
    return Math.abs(plot.top - y.top) + Math.abs(plot.bottom - y.bottom) + Math.abs(plot.left - x.left) > 3;
  }).length;
  const texts = [...page.querySelectorAll("body *")].filter(node => !node.closest("svg") &&
    [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) &&
    view.getComputedStyle(node).visibility === "visible");
  const pale = texts.filter(node => contrast(view, node) < 4.5).map(node => node.className || node.tagName);
  const pen = document.createElement("canvas").getContext("2d");
  const drawn = text => { pen.clearRect(0, 0, 60, 60); pen.font = "30px " + view.getComputedStyle(page.body).fontFamily;
    pen.fillText(text, 5, 40); return pen.canvas.toDataURL(); };
  // What no font holds is drawn as one and the same box.
  const box = drawn("\\u{10FFFE}");
  const letters = [...new Set(page.body.innerText)].filter(letter => letter.trim());
  const boxes = letters.filter(letter => drawn(letter) === box);
  found.push({boxes, letters: letters.length, width, scroll: page.documentElement.scrollWidth,
    outside, askew, curves: page.querySelectorAll(".lines").length, pale: [...new Set(pale)], texts: texts.length,
    dark: view.matchMedia("(prefers-color-scheme: dark)").matches});
  document.getElementById("found").textContent = JSON.stringify(found);
}
for (const width of [320, 390, 1200]) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:800px;border:0`;
  frame.onload = () => probe(width, frame);
  frame.src = "page.html";
  document.body.append(frame);
}
</script></body>"""


def _browse(folder: Path, *arguments: str) -> str:
    return _browsed(folder, *arguments).stdout


def _browsed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert _BROWSER is not None
    return subprocess.run(
        [_BROWSER, *_FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["published", "quarantined", "empty"])
def folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sample: Callable[..., Any]
) -> Path:
    """A folder with the page of a run and the probe beside it."""
    records, run, examples = sample(request.param)
    place = tmp_path_factory.mktemp("page")
    # A long word without a break is what usually makes a page too wide.
    long = Example("x" * 300, "y" * 300, "z" * 300, "no")
    (place / "page.html").write_text(render_html(records, run, examples=[*examples, long] if examples else []))
    (place / "probe.html").write_text(_PROBE)
    return place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_layout_and_contrast(folder: Path, scheme: str) -> None:
    """At 320, 390 and 1,200 pixels nothing stands outside the page, and each text has a contrast of 4.5 or more."""
    setting = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    dump = _browse(folder, setting, "--dump-dom", (folder / "probe.html").as_uri())
    found = re.search(r'<pre id="found">(.*?)</pre>', dump, re.DOTALL)
    assert found is not None
    probes = json.loads(html.unescape(found[1]))
    assert sorted(probe["width"] for probe in probes) == [320, 390, 1200]
    for probe in probes:
        assert probe["dark"] is (scheme == "dark")
        assert probe["texts"] > 50
        assert probe["outside"] == []
        assert probe["askew"] == 0
        assert probe["curves"] == (2 if "<polyline" in (folder / "page.html").read_text(encoding="utf-8") else 0)
        assert probe["pale"] == []
        assert probe["letters"] > 40
        assert probe["boxes"] == []
        assert probe["scroll"] <= probe["width"]


def test_console_is_silent(folder: Path) -> None:
    """Opening the page writes nothing to the console; a page that does is noticed."""
    flags = ("--enable-logging=stderr", "--dump-dom")
    assert "CONSOLE" not in _browsed(folder, *flags, (folder / "page.html").as_uri()).stderr
    (folder / "loud.html").write_text("<!DOCTYPE html><script>console.error('x')</script>", encoding="utf-8")
    assert "CONSOLE" in _browsed(folder, *flags, (folder / "loud.html").as_uri()).stderr


@pytest.mark.skipif(not _AXE.is_file(), reason="AXE_CORE names no axe.min.js (npm package axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(folder: Path, scheme: str) -> None:
    """Names, roles, contrast, order of headings, tables: axe has nothing to say, light and dark."""
    page = (folder / "page.html").read_text(encoding="utf-8")
    script = f"<script>{_AXE.read_text(encoding='utf-8')}</script><script>{_RUN_AXE}</script></body>"
    # The page itself forbids scripts.
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (folder / "axe.html").write_text(free.replace("</body>", script), encoding="utf-8")
    setting = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    dump = _browse(folder, setting, "--dump-dom", (folder / "axe.html").as_uri())
    found = re.search(r'<pre id="found">(.*?)</pre>', dump, re.DOTALL)
    assert found is not None
    passes, violations = json.loads(html.unescape(found[1]))
    assert violations == []
    assert passes > 15


def test_prints(folder: Path) -> None:
    """The page prints."""
    target = folder / "page.pdf"
    _browse(folder, "--no-pdf-header-footer", f"--print-to-pdf={target}", (folder / "page.html").as_uri())
    assert target.read_bytes().startswith(b"%PDF")
