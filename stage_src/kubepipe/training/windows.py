"""Windows of contexts that are longer than the model may read at once. Nothing is cut off silently: windows overlap."""

from __future__ import annotations

from dataclasses import dataclass

from kubepipe.passages.model import Answer
from kubepipe.training.prompt import PromptEncoder


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a context, in code points of it."""

    start: int
    end: int

    def holds(self, answer: Answer) -> bool:
        """Whether the whole answer lies within."""
        return self.start <= answer.start and answer.start + len(answer.text) <= self.end


def windows_of(encoder: PromptEncoder, context: str, limit: int) -> list[Window]:
    """Cut a context into windows of at most `limit` tokens, each overlapping the next by half.

    Returns:
        One window with the whole context where it is short enough, else at least two, in order.
    """
    # No token is shorter than a byte: a short context needs no look at its tokens.
    if len(context.encode("utf-8")) <= limit:
        return [Window(0, len(context))]
    offsets = encoder.offsets(context)
    if len(offsets) <= limit:
        return [Window(0, len(context))]
    stride = max(1, limit // 2)
    starts = range(0, len(offsets) - limit + stride, stride)
    return [_window(offsets, start, start + limit) for start in starts]


def window_around(encoder: PromptEncoder, context: str, answer: Answer, limit: int) -> Window | None:
    """The window of `limit` tokens whose middle is nearest to the answer's.

    Windows begin at multiples of half the limit, so that questions on the same part of a context share one; only an
    answer that none of these holds gets a window of its own.

    Returns:
        None when the answer alone is longer than the limit.
    """
    holding = [window for window in windows_of(encoder, context, limit) if window.holds(answer)]
    if holding:
        middle = 2 * answer.start + len(answer.text)
        return min(holding, key=lambda window: abs(window.start + window.end - middle))
    offsets = encoder.offsets(context)
    end = answer.start + len(answer.text)
    touched = [number for number, (start, stop) in enumerate(offsets) if start < end and stop > answer.start]
    if not touched or len(touched) > limit:
        return None
    spare = limit - len(touched)
    first = max(0, min(touched[0] - spare // 2, len(offsets) - limit))
    return _window(offsets, first, first + limit)


def _window(offsets: list[tuple[int, int]], first: int, stop: int) -> Window:
    inside = offsets[first:stop]
    return Window(inside[0][0], inside[-1][1])
