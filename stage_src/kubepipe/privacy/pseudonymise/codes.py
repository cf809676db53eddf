"""Surrogates of identifiers: every letter and digit changes, the syntax stays, and what can be checked still checks.

Networks get names and numbers that are reserved for examples (RFC 2606, RFC 3849) or private (RFC 1918, RFC 7042), so a
surrogate never reaches anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

from kubepipe.privacy.detect import numbers
from kubepipe.privacy.pseudonymise.keyed import keyed_number, keyed_stream
from kubepipe.privacy.pseudonymise.vault import code_of

_ATTEMPTS: Final = 400
_TELLING: Final = 4
"""Shorter codes (a house number) are everywhere; that one equals another betrays nothing."""

_KEPT_PREFIX: Final = ("http://", "https://", "ftp://", "www.")


class CodeSurrogates:
    """Draws the surrogate of an identifier.

    Args:
        key: Pseudonym key.
        language: ISO 639-1 code: decides which telephone numbers count as valid.
        taken: Letters and digits, in lower case, of the data set's own identifiers.
    """

    def __init__(self, key: bytes, language: str, taken: set[str]) -> None:
        self._key = key
        self._language = language
        self._taken = taken

    def draw(self, text: str, type_: str) -> str:
        """Surrogate of an identifier as it stands in the text; written otherwise it keeps its letters and digits."""
        makers: dict[str, Callable[[str, int], str]] = {
            "EMAIL": self._email,
            "URL": self._url,
            "HANDLE": self._handle,
            "IP": self._ip,
            "MAC": self._mac,
            "IBAN": self._iban,
            "CARD": self._card,
        }
        make = makers.get(type_, self._plain)
        holds = self._check(text, type_)
        last = ""
        for attempt in range(_ATTEMPTS):
            candidate = make(text, attempt)
            if candidate == text or self._is_taken(candidate):
                continue
            last = candidate
            if holds(candidate):
                return candidate
        return last or make(text, _ATTEMPTS)

    def _is_taken(self, candidate: str) -> bool:
        code = code_of(candidate)
        return len(code) >= _TELLING and code in self._taken

    def _check(self, text: str, type_: str) -> Callable[[str], bool]:
        """What the surrogate must fulfil because the original does."""
        if type_ == "PHONE" and numbers.is_valid_phone(text, self._language):
            return lambda candidate: numbers.is_valid_phone(candidate, self._language)
        if type_ == "NATIONAL_ID":
            scheme = numbers.national_scheme(text, code_of(text).upper())
            if scheme is not None:
                return lambda candidate: numbers.scheme_holds(scheme, candidate)
        return lambda _: True

    def _substitute(self, text: str, purpose: str, attempt: int) -> str:
        """Digits for digits, letters for letters in their case; a leading zero stays one, and none is added."""
        stream = keyed_stream(self._key, "code", purpose, code_of(text), str(attempt))
        made: list[str] = []
        first_digit = True
        for character in text:
            if character.isdigit():
                made.append(character if first_digit and character == "0" else _digit(next(stream), first_digit))
                first_digit = False
            elif character.isalpha():
                first_digit = True
                made.append(_letter(next(stream), character))
            else:
                made.append(character)
        return "".join(made)

    def _plain(self, text: str, attempt: int) -> str:
        return self._substitute(text, "code", attempt)

    def _handle(self, text: str, attempt: int) -> str:
        return self._substitute(text, "handle", attempt)

    def _email(self, text: str, attempt: int) -> str:
        local, _, domain = text.partition("@")
        return f"{self._substitute(local, 'email', attempt)}@{self._host(domain, attempt)}"

    def _host(self, host: str, attempt: int) -> str:
        labels = host.split(".")
        return ".".join([*(self._substitute(label, "host", attempt) for label in labels[:-1]), "example"])

    def _url(self, text: str, attempt: int) -> str:
        prefix = ""
        rest = text
        for known in _KEPT_PREFIX:
            if rest.lower().startswith(known):
                prefix += rest[: len(known)]
                rest = rest[len(known) :]
        host, slash, path = rest.partition("/")
        name, colon, port = host.partition(":")
        return f"{prefix}{self._host(name, attempt)}{colon}{port}{slash}{self._substitute(path, 'path', attempt)}"

    def _ip(self, text: str, attempt: int) -> str:
        number = keyed_number(self._key, "ip", text.casefold(), str(attempt))
        if ":" in text:
            return "2001:db8:" + ":".join(f"{(number >> (16 * place)) & 0xFFFF:x}" for place in range(6))
        return f"10.{number % 256}.{number // 256 % 256}.{1 + number // 65_536 % 254}"

    def _mac(self, text: str, attempt: int) -> str:
        # The second hex digit 2 marks a locally administered address.
        made = self._hex(text, attempt)
        return made[0] + "2" + made[2:]

    def _hex(self, text: str, attempt: int) -> str:
        stream = keyed_stream(self._key, "mac", code_of(text), str(attempt))
        made = "".join(f"{next(stream) % 16:x}" if character.isalnum() else character for character in text)
        return made.upper() if text.upper() == text else made

    def _iban(self, text: str, attempt: int) -> str:
        from stdnum import iban

        if not (text[:2].isalpha() and text[2:4].isdigit() and text.isascii()):
            return self._substitute(text, "iban", attempt)
        made = text[:2] + "00" + self._substitute(text[4:], "iban", attempt)
        check = str(iban.calc_check_digits(code_of(made).upper()))
        return made[:2] + check + made[4:]

    def _card(self, text: str, attempt: int) -> str:
        from stdnum import luhn

        if sum(map(str.isdigit, text)) < 2:  # noqa: PLR2004 no check digit without another one
            return self._plain(text, attempt)
        made = text[0] + self._substitute(text[1:], "card", attempt)
        plain = "".join(character for character in made if character.isdigit())
        check = str(luhn.calc_check_digit(plain[:-1]))
        last = max(index for index, character in enumerate(made) if character.isdigit())
        return made[:last] + check + made[last + 1 :]


def _digit(value: int, is_first: bool) -> str:
    return digits[1 + value % 9] if is_first else digits[value % 10]


def _letter(value: int, like: str) -> str:
    return (ascii_uppercase if like.isupper() else ascii_lowercase)[value % 26]
