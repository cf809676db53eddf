"""How a question is put to the model: the context first, then the question, then the answer.

All token sequences are made of the same pieces, in training as in prediction:

    prefix  = opening of the chat, instruction, context      one per context
    prompt  = question, opening of the answer                one per question
    answer  = text of the answer, end token                  one per question

Pieces meet at a single line break, across which the pre-tokenisers in use never merge, so prefix + prompt + answer is
what the tokeniser makes of the whole text (a server that is handed plain text sees the same tokens). Text of the data
never becomes a control token, whatever it contains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kubepipe.errors import ModelNotFoundError

INSTRUCTION: Final = (
    "Answer the question with the shortest phrase of the context that answers it. "
    "If the context does not answer it, say unanswerable."
)
UNANSWERABLE: Final = "unanswerable"

_CONTEXT_MARK: Final = "kubepipecontextmark"
_ANSWER_MARK: Final = "kubepipeanswermark"
# Encoded before a piece of data and cut off again: a piece is tokenised as it stands within a text, not at its start.
_ANCHOR: Final = "a\n"
# Some templates write today's date; the prompt of a model must not change overnight.
_FIXED: Final = {"enable_thinking": False, "date_string": "01 Jan 2026"}


@dataclass(frozen=True, slots=True)
class _Frame:
    """Text around the pieces, with the control tokens of the chat template.

    Attributes:
        opening: Before the context.
        turn: Between question and answer.
        closing: After the answer.
    """

    opening: str
    turn: str
    closing: str


class PromptEncoder:
    """Turns contexts, questions and answers into token ids.

    Args:
        tokenizer: A fast tokeniser of transformers, with or without a chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._frame = _frame(tokenizer)
        self._anchor_length = len(self._data_ids(_ANCHOR))
        self._opening = self._control_ids(self._frame.opening)
        self._turn = self._control_ids(self._frame.turn)
        self.end_token = self._end_token()

    def prefix(self, context: str) -> list[int]:
        """Token ids of everything up to the end of the context."""
        return self._opening + self._piece(_context_text(context))

    def prompt(self, question: str) -> list[int]:
        """Token ids from the question to the place where the answer begins."""
        return self._piece(_question_text(question)) + self._turn

    def answer(self, text: str | None) -> list[int]:
        """Token ids of an answer and the end token; None stands for a question without an answer."""
        return [*self._piece((text or "").strip() or UNANSWERABLE), self.end_token]

    def decode(self, answer: list[int]) -> str:
        """Text of generated token ids; "" where the model says that there is no answer."""
        ids = answer[: answer.index(self.end_token)] if self.end_token in answer else answer
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return "" if text.lower().rstrip(".") == UNANSWERABLE else text

    def text(self, context: str, question: str) -> str:
        """The whole prompt as text, for servers that tokenise by themselves and for checks."""
        return f"{self._frame.opening}{_context_text(context)}{_question_text(question)}{self._frame.turn}"

    def offsets(self, context: str) -> list[tuple[int, int]]:
        """Start and end of each token of the context, in code points of the context."""
        encoded = self._encode(context, control=False, offsets=True)
        return [(int(start), int(end)) for start, end in encoded["offset_mapping"]]

    def _end_token(self) -> int:
        # The token after the answer in the template ends it; where that is no control token, the tokeniser's own does.
        closing = self._control_ids(self._frame.closing)
        special = set(self.tokenizer.all_special_ids)
        if closing and closing[0] in special:
            return closing[0]
        if self.tokenizer.eos_token_id is None:
            raise ModelNotFoundError(
                "the tokeniser has no end token", place=str(self.tokenizer.name_or_path), remedy="Take another model"
            )
        return int(self.tokenizer.eos_token_id)

    def _piece(self, text: str) -> list[int]:
        return self._data_ids(_ANCHOR + text)[self._anchor_length :]

    def _data_ids(self, text: str) -> list[int]:
        return list(self._encode(text, control=False)["input_ids"])

    def _control_ids(self, text: str) -> list[int]:
        return list(self._encode(text, control=True)["input_ids"])

    def _encode(self, text: str, *, control: bool, offsets: bool = False) -> Any:
        return self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=not control, return_offsets_mapping=offsets
        )


def _context_text(context: str) -> str:
    return f"Context:\n{context.strip()}\n"


def _question_text(question: str) -> str:
    return f"Question: {question.strip()}"


def _frame(tokenizer: Any) -> _Frame:
    if not getattr(tokenizer, "chat_template", None):
        return _plain_frame(tokenizer)
    user = {"role": "user", "content": _CONTEXT_MARK}
    system = {"role": "system", "content": INSTRUCTION}
    merged = {"role": "user", "content": f"{INSTRUCTION}\n{_CONTEXT_MARK}"}
    for messages in ([system, user], [merged]):
        found = _render(tokenizer, messages)
        if found is not None:
            return found
    return _plain_frame(tokenizer)


def _render(tokenizer: Any, messages: list[dict[str, str]]) -> _Frame | None:
    """The frame that a chat template writes, or None where it refuses these roles or drops a message."""
    from jinja2.exceptions import TemplateError

    answered = [*messages, {"role": "assistant", "content": _ANSWER_MARK}]
    try:
        asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **_FIXED)
        closed = tokenizer.apply_chat_template(answered, tokenize=False, **_FIXED)
    except TemplateError:
        return None
    if asked.count(_CONTEXT_MARK) != 1 or closed.count(_ANSWER_MARK) != 1 or INSTRUCTION not in asked:
        return None
    opening, turn = asked.split(_CONTEXT_MARK)
    return _Frame(opening, turn, closed.split(_ANSWER_MARK)[1])


def _plain_frame(tokenizer: Any) -> _Frame:
    return _Frame(f"{tokenizer.bos_token or ''}{INSTRUCTION}\n", "\nAnswer:\n", tokenizer.eos_token or "")
