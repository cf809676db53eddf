"""The page in a real browser, on a running server, with axe where AXE_CORE names its axe.min.js."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_AXE = Path(os.environ.get("AXE_CORE", "missing"))

pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium on this machine")

TEXT = "Ada 🎩 was born in London. Bo lives in Bonn."


class Browser:
    """A page of headless Chromium, by its debugging protocol."""

    def __init__(self, folder: Path) -> None:
        import websocket

        assert _BROWSER is not None
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        self._process = subprocess.Popen(
            [_BROWSER, *flags, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        lines = iter(self._process.stderr.readline, "")
        address = next(line.split()[-1] for line in lines if line.startswith("DevTools listening"))
        self._numbers = itertools.count(1)
        self._socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
        self._session: str | None = None
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.requests: list[str] = []
        self.problems: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command and its result; events on the way are looked at."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps({**message, "sessionId": self._session} if self._session else message))
        while True:
            event = json.loads(self._socket.recv())
            if event.get("id") == number:
                assert "error" not in event, event
                result: dict[str, Any] = event["result"]
                return result
            self._look_at(event)

    def _look_at(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        elif event.get("method") in {"Log.entryAdded", "Runtime.exceptionThrown"}:
            self.problems.append(json.dumps(event["params"])[:300])

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        found = self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until an expression holds."""
        deadline = time.monotonic() + 60
        while not self.run(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def press(self, key: str, code: int, text: str | None = None) -> None:
        """A key of the keyboard."""
        more = {"text": text} if text else {}
        self.do("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **more)
        self.do("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.do("Input.insertText", text=text)

    def size(self, width: int, *, dark: bool = False) -> None:
        """Width of the window, and its colours."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.do("Emulation.setEmulatedMedia", features=scheme)

    def picture(self, file: Path) -> None:
        """A picture of the whole page."""
        data = self.do("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser."""
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


@pytest.fixture
def served(serve_source: Any, source: Any) -> Iterator[Any]:
    """A server without a token."""
    with serve_source(source, token=None) as running:
        yield running


def _open(browser: Browser, served: Any) -> str:
    address = str(served.client.base_url)
    browser.do("Page.navigate", url=address)
    browser.until("document.readyState === 'complete' && document.getElementById('release').textContent !== ''")
    return address


def _answer_fixed(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model say what a good one would; a random one marks nothing."""
    from kubepipe.scoring import Prediction

    def answer(passages: Any, wanted: Any) -> Iterator[Prediction]:
        words = {"Where was Ada born?": "London", "Where does Bo live?": "Bonn", "Who?": ""}
        assert wanted()
        for passage in passages:
            for question in passage.questions:
                yield Prediction(question.id, words[question.text], 0.9, -0.1, not words[question.text])

    monkeypatch.setattr(served.parts.engine.loaded, "answer", answer)


def _ask_by_keyboard(browser: Browser) -> None:
    """Everything without a mouse: text, three questions, ask."""
    browser.run("document.getElementById('context').focus()")
    browser.type(TEXT)
    browser.press("Tab", 9)
    browser.type("Where was Ada born?")
    for question in ("Where does Bo live?", "Who?"):
        browser.run("document.getElementById('more').focus()")
        browser.press("Enter", 13, "\r")
        browser.type(question)
    browser.press("Enter", 13, "\r")
    browser.until("!document.getElementById('result').hidden")


def test_answers_are_marked_in_the_text(browser: Browser, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By keyboard alone; the focus goes to the answers, the status is spoken, marks stand right behind an emoji."""
    _answer_fixed(served, monkeypatch)
    address = _open(browser, served)
    _ask_by_keyboard(browser)
    assert browser.run("document.activeElement.id") == "result-title"
    assert browser.run("document.getElementById('status').textContent") == "3 answers."
    assert browser.run("document.getElementById('status').getAttribute('role')") == "status"
    marks = browser.run("[...document.querySelectorAll('mark')].map(node => node.firstChild.data)")
    assert marks == ["London", "Bonn"]
    given = browser.run("[...document.querySelectorAll('.given')].map(node => node.textContent)")
    assert given == ["London", "Bonn", "The text does not answer this."]
    facts = browser.run("document.getElementById('release').textContent")
    assert "50 (49 to 51)" in facts
    assert "7 Wh" in facts
    assert "Direct identifiers in the original47" in facts
    assert "1.5 per 1,000 tokens" in facts
    assert browser.problems == []
    assert {re.match(r"\w+:/*[^/]*", each)[0] for each in browser.requests} <= {address.rstrip("/"), "data:,"}  # type: ignore[index]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_stands_outside_a_narrow_page(
    browser: Browser, served: Any, monkeypatch: pytest.MonkeyPatch, width: int, dark: bool
) -> None:
    """On a phone as on a screen; controls are large enough for a thumb."""
    _answer_fixed(served, monkeypatch)
    browser.size(width, dark=dark)
    _open(browser, served)
    _ask_by_keyboard(browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert (
        browser.run("Math.min(...[...document.querySelectorAll('button')].map(node => node.offsetHeight || 99))") >= 40
    )
    if os.environ.get("KUBEPIPE_PICTURES"):
        browser.picture(Path(os.environ["KUBEPIPE_PICTURES"]) / f"serving-{width}-{'dark' if dark else 'light'}.png")


@pytest.mark.skipif(not _AXE.is_file(), reason="AXE_CORE names no axe.min.js (npm package axe-core)")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 1200])
def test_axe_finds_nothing(
    browser: Browser, served: Any, monkeypatch: pytest.MonkeyPatch, width: int, dark: bool
) -> None:
    """Before and after an answer: names, roles, contrast, order of headings."""
    _answer_fixed(served, monkeypatch)
    browser.size(width, dark=dark)
    _open(browser, served)
    browser.run(_AXE.read_text(encoding="utf-8") + "; 1")
    rules = "({passes, violations}) => [passes.length, violations.map(each => `${each.id}: ${each.help}`)]"
    for ask in (False, True):
        if ask:
            _ask_by_keyboard(browser)
        passes, violations = browser.run(f"axe.run().then({rules})")
        assert violations == []
        assert passes > 20


def test_a_token_is_asked_for(browser: Browser, serve_source: Any, source: Any) -> None:
    """The page shows the field when the server wants one, and the release once it has one."""
    with serve_source(source) as served:
        browser.do("Page.navigate", url=str(served.client.base_url))
        browser.until("document.readyState === 'complete' && !document.getElementById('token-row').hidden")
        browser.run("document.getElementById('token').focus()")
        browser.type("secret-token")
        browser.press("Tab", 9)
        browser.until("!document.getElementById('release').hidden")


@pytest.mark.parametrize(("text", "question"), [("", "Where?"), (TEXT, "")])
def test_an_empty_field_is_told_and_gets_the_focus(browser: Browser, served: Any, text: str, question: str) -> None:
    """Nothing is sent."""
    _open(browser, served)
    browser.run(f"document.getElementById('context').value = {json.dumps(text)}")
    browser.run(f"document.querySelector('#questions input').value = {json.dumps(question)}")
    browser.run("document.getElementById('ask').click()")
    assert browser.run("document.getElementById('status').className") == "bad"
    focus = browser.run("document.activeElement.id || document.activeElement.getAttribute('aria-label')")
    assert focus == ("context" if not text else "Question 1")
    assert not [each for each in browser.requests if each.endswith("/v1/answers")]
