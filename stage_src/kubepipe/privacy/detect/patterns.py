"""Identifiers with a syntax of their own: addresses on a network, and what is not found by its digits.

One compiled expression per text; a cheap look for `@`, `:`, `.` decides whether it runs at all.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of

# Top-level domains after which a bare `name.tld` counts as a host; others need http://, www. or a path.
_TLD: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|me|tv|co|uk|us|ca|au|nz|ie|in|de|at|ch|fr|be|nl|lu|it|"
    "es|pt|pl|cz|"
    "sk|hu|ro|bg|gr|hr|si|rs|se|no|dk|fi|is|ee|lv|lt|eu|jp|cn|kr|br|mx|ar|cl|za|ru|ua|tr|il|sg|hk|tw"
)
_NETWORK: Final = re.compile(
    r"(?P<EMAIL>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?<![.-]))"
    r"|(?P<URL>\b(?:https?|ftp)://[^\s<>\"'”\u2019)\]}]+|\bwww\.[^\s<>\"'”\u2019)\]}]+"
    rf"|(?<![\w.@/-])(?:[a-z0-9][a-z0-9-]*\.)+(?:{_TLD})(?:/[^\s<>\"'”\u2019)\]}}]*)?(?![\w@-]))"
    r"|(?P<MAC>(?<![\w:-])[0-9A-Fa-f]{2}(?P<colon>[:-])[0-9A-Fa-f]{2}(?:(?P=colon)[0-9A-Fa-f]{2}){4}(?![\w:-]))"
    r"|(?P<IP6>(?<![\w:.])(?=[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f:.]{3,45}(?![\w:]))"
    r"|(?P<IP>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d))"
    r"|(?P<HANDLE>(?<![\w@./])@[A-Za-z_]\w{2,29}(?!\w|\.\w))",
    re.IGNORECASE,
)
# Without one of these in it a text holds none; the look is far cheaper than the expression.
_HINT: Final = re.compile(r"@|\w\.\w|\w:[\w/:]|::|[0-9A-Fa-f]-[0-9A-Fa-f]{2}-|www")
# A user name that its cue announces: it mixes letters with digits, dots, or capitals in the middle.
_USER: Final = re.compile(
    r"\b(?:[Uu]ser(?: ?name| ?id)?|[Ll]ogin|[Aa]ccount name|[Ss]creen name|[Nn]ick(?:name)?|[Hh]andle|"
    r"Benutzer(?:name)?|[Ii]dentifiant)\b(?: is| was| ist| est)?[\s:=\"']{1,3}"
    r"(?P<name>(?=[\w.-]*(?:[\d_]|[a-z][A-Z]|\w\.\w)|[A-Z]{2}[a-z])[A-Za-z][\w.-]{2,29})(?<![.-])"
)
_KINDS: Final = ("EMAIL", "URL", "MAC", "IP6", "IP", "HANDLE")
_TRAILING: Final = ".,;:!?"


def network_identifiers(text: str) -> Iterator[Span]:
    """E-mail addresses, URLs and host names, IP and MAC addresses, @handles."""
    if not _HINT.search(text):
        return
    for match in _NETWORK.finditer(text):
        kind = next(name for name in _KINDS if match.group(name) is not None)
        start, end = match.span()
        while kind in ("URL", "IP6") and end > start and text[end - 1] in _TRAILING:
            end -= 1
        if kind in ("IP", "IP6"):
            if not _is_ip(text[start:end]):
                continue
            kind = "IP"
        yield Span(start, end, kind, class_of(kind), f"pattern:{kind.lower()}", 0.99)


def user_names(text: str) -> Iterator[Span]:
    """User names behind a word that announces them."""
    for match in _USER.finditer(text):
        yield Span(match.start("name"), match.end("name"), "HANDLE", class_of("HANDLE"), "pattern:user", 0.9)


def _is_ip(candidate: str) -> bool:
    try:
        ipaddress.ip_address(candidate)
    except ValueError:
        return False
    # "::" and "1::" are punctuation far more often than addresses.
    return sum(character.isalnum() for character in candidate) >= 4  # noqa: PLR2004
