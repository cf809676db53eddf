"""From spans to edits, one per word, number or code: an answer that is part of a name stays part of its surrogate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kubepipe.privacy.align import Edit
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.tokens import Token, all_tokens, fold, is_enclitic, is_name_like, tokens_of
from kubepipe.privacy.entities.words import ADDRESS, GENERIC, HONORIFICS, PARTICLES, SUFFIXES
from kubepipe.privacy.pseudonymise.codes import CodeSurrogates
from kubepipe.privacy.pseudonymise.dates import Shift, date_edits, year_edits, years_in
from kubepipe.privacy.pseudonymise.generalise import generalised
from kubepipe.privacy.pseudonymise.jobs import job_surrogate
from kubepipe.privacy.pseudonymise.keyed import keyed_number
from kubepipe.privacy.pseudonymise.names import NameSurrogates
from kubepipe.privacy.pseudonymise.survey import Kind
from kubepipe.settings.entities import Action
from kubepipe.settings.privacy import PrivacySettings

WORDY: Final[dict[str, Kind]] = {
    "PERSON": "family",
    "ORG": "org",
    "PLACE": "place",
    "NATIONALITY": "nationality",
    "ADDRESS": "place",
    "EVENT": "org",
    "WORK": "org",
    "PRODUCT": "org",
    "MISC": "org",
}
"""Types whose words are replaced one by one, and the kind of a word that has no vote of its own."""

_ROMAN: Final = re.compile(r"[IVXL]{2,7}")
_NUMBER: Final = re.compile(r"\d+")
_OLDEST_STEP: Final = 3
_CHILD: Final = 10


class Surrogates:
    """Everything that draws a surrogate, for one key and one data set."""

    def __init__(self, names: NameSurrogates, codes: CodeSurrogates, kinds: dict[str, Kind], key: bytes) -> None:
        self.names = names
        self.codes = codes
        self.kinds = kinds
        self.key = key


class PassageEdits:
    """Collects the edits of one text; a place is edited once, the first rule wins.

    Args:
        text: The joined text.
        surrogates: Where surrogates come from.
        document: Name of the document: dates and ages of a document move alike.
        shift: How far dates move.
        language: ISO 639-1 code.
        is_forced: Whether a word in folded case never stays, whatever it is part of.
    """

    def __init__(
        self,
        text: str,
        surrogates: Surrogates,
        document: str,
        shift: Shift,
        language: str,
        is_forced: Callable[[str], bool],
    ) -> None:
        self.text = text
        self.counts: Counter[str] = Counter()
        self._surrogates = surrogates
        self._document = document
        self._shift = shift
        self._language = language
        self._is_forced = is_forced
        self._edits: list[Edit] = []
        self._covered = bytearray(len(text))
        self._words: set[str] = set()
        self._years: frozenset[str] = frozenset()
        self._skips: dict[tuple[str, Kind], int] = {}
        self._owner: dict[str, str] = {}

    def sorted(self) -> list[Edit]:
        """The edits in order of place."""
        return sorted(self._edits)

    def apply(self, span: Span, action: Action) -> None:
        """Do with a span what the policy says."""
        if action == "pseudonymise":
            self.replace(span)
        elif action == "generalise":
            coarse = generalised(self.text[span.start : span.end], span.type, self._language)
            self._fill(span, f"[{span.type}]" if coarse is None else coarse)
        else:
            self._fill(span, f"[{span.type}]" if action == "mask" else "")

    def _fill(self, span: Span, new: str) -> None:
        """Put a text in the place of a span, or of the pieces of it that no earlier edit covers."""
        position, changed = span.start, False
        while position < span.end:
            if self._covered[position]:
                position += 1
                continue
            end = position
            while end < span.end and not self._covered[end]:
                end += 1
            if any(map(str.isalnum, self.text[position:end])):
                changed |= self._add(Edit(position, end, new))
            position = end
        self.counts[span.type] += changed

    def replace(self, span: Span) -> None:
        """Put a surrogate in the place of a span."""
        if span.type in WORDY:
            changed = self._replace_words(span)
        elif span.type == "DATE":
            changed = self._replace_date(span)
        elif span.type == "AGE":
            changed = self._replace_age(span)
        elif span.type == "JOB":
            piece = self.text[span.start : span.end]
            changed = self._add(Edit(span.start, span.end, job_surrogate(piece, self._surrogates.key)))
        elif span.cls == "ART9":
            changed = self._add(Edit(span.start, span.end, f"[{span.type}]"))
        else:
            piece = self.text[span.start : span.end]
            changed = self._add(Edit(span.start, span.end, self._surrogates.codes.draw(piece, span.type)))
        self.counts[span.type] += changed

    def carry_over(self, is_ordinary: frozenset[str]) -> None:
        """Replace what was replaced once wherever else it stands in the text: words of names, and years."""
        for token in all_tokens(self.text):
            folded = fold(token.text)
            if folded not in self._words or self._covered[token.start] or not is_name_like(token.text):
                continue
            if (folded not in is_ordinary or self._is_forced(folded)) and self._add(self._word_edit(token, "family")):
                self.counts["PERSON" if self._surrogates.kinds.get(folded) in ("given", "family") else "ORG"] += 1
        if self._years:
            covered: list[tuple[int, int]] = []
            for edit in year_edits(self.text, 0, len(self.text), self._shift, covered):
                if self.text[edit.start : edit.end] in self._years and self._add(edit):
                    self.counts["DATE"] += 1

    def replace_known(self, is_ordinary: frozenset[str]) -> None:
        """Replace words that name something anywhere in the data set: for titles, which no recogniser reads well."""
        for token in all_tokens(self.text):
            folded = fold(token.text)
            if folded in self._surrogates.kinds and is_name_like(token.text) and folded not in is_ordinary:
                self._add(self._word_edit(token, "org"))

    def _add(self, edit: Edit) -> bool:
        if edit.start >= edit.end or any(self._covered[edit.start : edit.end]):
            return False
        self._covered[edit.start : edit.end] = b"\1" * (edit.end - edit.start)
        self._edits.append(edit)
        return True

    def _replace_words(self, span: Span) -> bool:
        tokens = [token for token in tokens_of(self.text, span.start, span.end) if not is_enclitic(self.text, token)]
        chosen = [token for token in tokens if not self._stays(token, span, tokens)]
        if not chosen and span.type != "ADDRESS":
            chosen = [token for token in tokens if fold(token.text) not in PARTICLES] or tokens
        fallback = WORDY[span.type]
        changed = False
        for token in chosen:
            if self._add(self._word_edit(token, fallback)):
                self._words.add(fold(token.text))
                changed = True
        if span.type == "ADDRESS":
            for match in _NUMBER.finditer(self.text, span.start, span.end):
                changed |= self._add(Edit(*match.span(), self._surrogates.codes.draw(match.group(), "CODE")))
        return changed

    def _stays(self, token: Token, span: Span, tokens: list[Token]) -> bool:
        folded = fold(token.text)
        if self._is_forced(folded):
            return False
        if folded in PARTICLES or _ROMAN.fullmatch(token.text):
            return True
        if span.type == "PERSON":
            return folded in SUFFIXES or (folded in HONORIFICS and token is not tokens[-1])
        if span.type == "ADDRESS" and folded in ADDRESS:
            return True
        return folded in GENERIC or (token.text.islower() and any(is_name_like(other.text) for other in tokens))

    def _word_edit(self, token: Token, fallback: Kind) -> Edit:
        kind = self._surrogates.kinds.get(fold(token.text), fallback)
        return Edit(token.start, token.end, self._draw(token.text, kind))

    def _draw(self, word: str, kind: Kind) -> str:
        """A surrogate that is nobody else's in this text."""
        names = self._surrogates.names
        folded = fold(word)
        if len(word) == 1 or (folded, kind) in self._skips:
            return names.draw(word, kind, self._skips.get((folded, kind), 0))
        skip = 0
        while self._owner.setdefault(fold(names.draw(word, kind, skip)), folded) != folded:
            skip += 1
        self._skips[folded, kind] = skip
        return names.draw(word, kind, skip)

    def _replace_date(self, span: Span) -> bool:
        edits = [
            edit for edit in date_edits(self.text, span.start, span.end, self._shift, self._language) if self._add(edit)
        ]
        self._years |= years_in(self.text, edits)
        return bool(edits)

    def _replace_age(self, span: Span) -> bool:
        age = int(self.text[span.start : span.end])
        step = 1 + keyed_number(self._surrogates.key, "age", self._document) % _OLDEST_STEP
        return self._add(Edit(span.start, span.end, str(age - step if age > _CHILD else age + step)))


def active(spans: Iterable[Span], classes: frozenset[str], policy: PrivacySettings) -> Iterator[tuple[Span, Action]]:
    """Spans that something is done with, and what: the type's own action, the class's, or the policy's method.

    Titles stay unless an action names them: they keep the gender.
    """
    for span in spans:
        action = policy.actions.get(span.type) or (policy.actions.get(span.cls) if span.type != "TITLE" else None)
        if action is not None:
            yield span, action
        elif span.cls in classes and span.type != "TITLE":
            yield span, policy.method
