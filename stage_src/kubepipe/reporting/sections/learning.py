"""How training went: loss, learning rate, tokens."""

from __future__ import annotations

from typing import Any

from kubepipe.reporting import numbers as say
from kubepipe.reporting.charts import line_chart
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import figure, not_reached, note, section

_TITLE = "How it learned"


def learning(seen: RunView) -> Markup:
    """The curves of training and what it worked through."""
    history = seen.results("fine-tune-model")
    losses = [table(entry) for entry in history.get("losses") or []]
    if not losses:
        return section("learning", _TITLE, not_reached("Training"))
    charts = [
        _curve("Loss in nats", "loss", losses, "tuned", smooth=True),
        _curve("Learning rate", "learning_rate", losses, "second", smooth=False),
    ]
    return section(
        "learning",
        _TITLE,
        note("The loss is the model's surprise at the expected answers; it counts answer tokens alone."),
        element("div", charts, class_="pair"),
        element("dl", _facts(seen), class_="facts-list"),
    )


def _curve(title: str, name: str, losses: list[Any], tone: str, *, smooth: bool) -> Markup | None:
    points = [(number(entry.get("step")), number(entry.get(name))) for entry in losses]
    known = [(x, y) for x, y in points if x is not None and y is not None]
    if not known:
        return None
    caption = "each step, and its moving mean" if smooth else None
    return figure(title, line_chart(title, known, tone=tone, smooth=smooth), caption=caption)


def _facts(seen: RunView) -> list[Markup]:
    history = seen.results("fine-tune-model")

    def value(name: str) -> float | None:
        return number(history.get(name))

    trained, every = value("trainable_parameters"), value("total_parameters")
    facts = {
        "Base model": history.get("model"),
        "Method": history.get("method"),
        "Parameters trained": f"{say.count(trained)} of {say.count(every)}" if every else say.count(trained),
        "Questions": say.count(value("questions")),
        "Passes": say.plain(value("epochs")),
        "Tokens": say.count(value("tokens")),
        "Speed": f"{say.count(value('tokens_per_second'))} tokens/s",
        "Padding": say.share(value("padding_share")),
        "Tokens saved by reading each context once": f"{say.plain(value('tokens_saved_factor'))} times fewer",
        "Held-out loss": f"{say.plain(value('validation_loss_before'))} to {say.plain(value('validation_loss_after'))}",
        "Device": " ".join(str(history.get(name)) for name in ("device", "precision") if history.get(name)),
        "Contexts cut to windows": say.count(value("windowed_contexts")),
    }
    shown = {name: str(fact) for name, fact in facts.items() if fact and say.MISSING not in str(fact)}
    return [element("div", element("dt", name), element("dd", fact)) for name, fact in shown.items()]
