"""What a second look at protected text still finds of the original.

No surrogate equals a word of the data set, so a finding whose words the data set holds was there before. The gate
counts such findings, and the engine replaces them when it escalates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.tokens import all_tokens, fold, is_name_like, tokens_of
from kubepipe.privacy.entities.words import ADDRESS, common_words
from kubepipe.privacy.pseudonymise.vault import code_of


class SecondLook:
    """Tells findings of the original from surrogates.

    Args:
        taken: Words and codes of the original data set, in folded case.
        language: ISO 639-1 code, for its ordinary words.
    """

    def __init__(self, taken: set[str], language: str) -> None:
        self._taken = taken
        self._ordinary = common_words(language) | ADDRESS

    def may_find(self, text: str) -> bool:
        """Whether any span of a text could be of the original; reading a text of which it is false changes nothing."""
        if any(map(str.isdigit, text)) or "@" in text:
            return True
        return next(self.places(text), None) is not None

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where words of the original stand that are no ordinary ones: a person is found there, or not at all.

        Returns:
            Starts and ends in code points, ascending.
        """
        for token in all_tokens(text):
            if self._is_telling(token.text) and fold(token.text) in self._taken:
                yield token.start, token.end

    def _is_telling(self, word: str) -> bool:
        return is_name_like(word) and fold(word) not in self._ordinary

    def words(self, text: str, span: Span) -> frozenset[str]:
        """The words, in folded case, or the code of a direct identifier that stood in the original; empty for none."""
        if span.cls != "DIRECT":
            return frozenset()
        if span.type not in ("PERSON", "ADDRESS"):
            code = code_of(text[span.start : span.end])
            return frozenset({code}) & self._taken
        words = [token.text for token in tokens_of(text, span.start, span.end)]
        telling = {fold(word) for word in words if len(word) > 1 and is_name_like(word)}
        return frozenset(telling & self._taken) - self._ordinary

    def all_words(self, text: str, spans: Iterable[Span]) -> frozenset[str]:
        """The words of all spans together."""
        return frozenset[str]().union(*(self.words(text, span) for span in spans))
