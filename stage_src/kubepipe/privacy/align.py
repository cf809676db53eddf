"""Editing a text without losing where its parts stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from kubepipe.passages.model import Answer, Question


class Edit(NamedTuple):
    """`text[start:end]` becomes `new`; offsets in code points of the text before."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A text after its edits, and the way from old offsets to new ones.

    Attributes:
        text: The new text.
        edits: The edits, sorted and without overlaps.
        starts: Offset of each edit's replacement in the new text.
    """

    text: str
    edits: tuple[Edit, ...]
    starts: tuple[int, ...]

    def start_of(self, offset: int) -> int:
        """New offset of a beginning; one inside an edit moves to the edit's beginning unless lengths agree."""
        return self._map(offset, is_end=False)

    def end_of(self, offset: int) -> int:
        """New offset of an end (one past the last code point); one inside an edit moves to the edit's end."""
        return self._map(offset, is_end=True)

    def _map(self, offset: int, *, is_end: bool) -> int:
        index = bisect_right(self.edits, offset, key=lambda edit: edit.start) - 1
        if index < 0:
            return offset
        edit, start = self.edits[index], self.starts[index]
        if offset >= edit.end:
            return start + len(edit.new) + offset - edit.end
        if offset == edit.start:
            return start
        # Inside an edit of the same length characters correspond one to one: digits of a number, letters of a code.
        if len(edit.new) == edit.end - edit.start:
            return start + offset - edit.start
        return start + len(edit.new) if is_end else start


def rewrite(text: str, edits: Iterable[Edit]) -> Rewrite:
    """Apply edits to a text.

    Raises:
        ValueError: Two edits overlap or one lies outside the text.
    """
    ordered = tuple(sorted(edits))
    pieces: list[str] = []
    starts: list[int] = []
    position = length = 0
    for edit in ordered:
        if not position <= edit.start <= edit.end <= len(text):
            raise ValueError("edits overlap or lie outside the text")
        kept = text[position : edit.start]
        starts.append(length + len(kept))
        pieces += (kept, edit.new)
        length += len(kept) + len(edit.new)
        position = edit.end
    pieces.append(text[position:])
    return Rewrite("".join(pieces), ordered, tuple(starts))


def realign(context: str, rewritten: Rewrite, question: Question, new_text: str) -> Question | None:
    """The question on the rewritten context, or None when one of its answers does not stand where it says.

    An answer whose boundary cuts an edit grows to the whole edit. An unanswerable question stays so.
    """
    answers = [_realigned(context, rewritten, answer) for answer in question.answers]
    kept = [answer for answer in answers if answer is not None]
    if len(kept) != len(answers):
        return None
    return replace(question, text=new_text, answers=tuple(kept))


def _realigned(context: str, rewritten: Rewrite, answer: Answer) -> Answer | None:
    end = answer.start + len(answer.text)
    if answer.start < 0 or not answer.text or context[answer.start : end] != answer.text:
        return None
    start, stop = rewritten.start_of(answer.start), rewritten.end_of(end)
    text = rewritten.text[start:stop]
    return Answer(text, start) if text.strip() else None


def split_edits(edits: Sequence[Edit], start: int, end: int) -> list[Edit]:
    """Edits of a joined text that fall into one of its fields, with offsets of that field; `edits` is sorted."""
    first = bisect_right(edits, start, key=lambda edit: edit.end)
    found: list[Edit] = []
    for edit in edits[max(0, first - 1) :]:
        if edit.start >= end:
            break
        if edit.start >= start and edit.end <= end:
            found.append(Edit(edit.start - start, edit.end - start, edit.new))
    return found
