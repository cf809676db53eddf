"""What the gate measured against what the policy allows, as rows that the page and the summary share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubepipe.reporting import numbers as say
from kubepipe.reporting.model import RunView, table
from kubepipe.reporting.numbers import number


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the gate.

    Attributes:
        name: What is measured.
        measured: What it came to.
        allowed: What the policy allows, or `reported` where no rule hangs on it.
        detail: The upper end of an interval and the like, which is said smaller.
    """

    name: str
    measured: str
    allowed: str
    detail: str | None = None

    def text(self) -> str:
        """What it came to, with the detail."""
        return self.measured if self.detail is None else f"{self.measured}, {self.detail}"


def rules(seen: RunView) -> Iterator[Rule]:
    """All rules, in the order in which the gate looks at them."""
    results = seen.results("verify-privacy")
    measures = table(results.get("measures"))
    if not measures:
        return
    policy = table(table(seen.run.get("settings")).get("privacy"))
    after = say.count(number(measures.get("passages_after")))

    def value(name: str) -> float | None:
        return number(measures.get(name))

    def at_most(name: str) -> str:
        return _at_most(say.share(number(policy.get(name))))

    yield Rule(
        "Passages with a direct identifier of the original",
        f"{say.count(value('leaking_passages'))} of {after}",
        at_most("max_residual_direct"),
    )
    yield Rule(
        "Found by a second look, per 1,000 words",
        say.plain(value("redetected_per_1000_tokens")),
        _at_most(say.plain(number(policy.get("max_redetected")))),
    )
    yield Rule("Questions dropped", say.share(value("dropped_share")), at_most("max_dropped"))
    yield Rule("Answers that stand where they say", say.share(value("aligned_share")), say.share(1.0))
    yield Rule("Questions that gained or lost answers", say.count(value("changed_answer_counts")), "none")
    yield Rule("Passages without an original", say.count(value("foreign_passages")), "none")
    probes = table(measures.get("probes"))
    if probes:
        yield Rule(
            "Invented people and numbers that were missed",
            f"{say.count(number(probes.get('missed')))} of {say.count(number(probes.get('seeded')))}",
            at_most("max_missed_probes"),
            f"up to {say.share(number(probes.get('missed_upper')))}",
        )
    yield from _attacks(table(measures.get("attacks")), policy)
    people = table(table(results.get("after")).get("people"))
    if people:
        allowed = f"at least {say.count(number(policy.get('min_k')))}"
        yield Rule("Fewest people that share their columns (k)", say.count(number(people.get("k"))), allowed)
    yield Rule("Equal answers that stayed equal", say.share(value("consistency")), "reported")
    yield Rule("Direct identifiers looked for", say.count(value("direct_values")), "reported")


def _attacks(found: Mapping[str, Any], policy: Mapping[str, Any]) -> Iterator[Rule]:
    """What attacks on the protected data came to; the upper end of the interval is what the rule takes."""
    if not found:
        return
    alone, linkage, second = (table(found.get(name)) for name in ("singled_out", "linkage", "disagreement"))

    def allowed(name: str) -> str:
        return _at_most(say.share(number(policy.get(name))))

    yield Rule(
        "Singled out by what still stands of the original's quasi-identifiers",
        _of(alone, "unique", "records"),
        allowed("max_singled_out"),
        _up_to(alone, "unique_interval"),
    )
    control = say.count(number(linkage.get("linked_control")))
    yield Rule(
        "Linked by who knows the original's identifiers, beyond the prose",
        _of(linkage, "beyond", "examined"),
        allowed("max_linked"),
        f"{_up_to(linkage, 'beyond_interval')}; control {control}",
    )
    name = second.get("detector")
    if name:
        yield Rule(
            f"Seen by a second detector ({name})",
            _of(second, "passages", "examined"),
            allowed("max_disagreement"),
            _up_to(second, "interval"),
        )
    else:
        yield Rule("Seen by a second detector (the policy names none)", "not looked", allowed("max_disagreement"))


def _of(found: Mapping[str, Any], hits: str, total: str) -> str:
    return f"{say.count(number(found.get(hits)))} of {say.count(number(found.get(total)))}"


def _up_to(found: Mapping[str, Any], interval: str) -> str:
    bounds = found.get(interval)
    upper = number(bounds[1]) if isinstance(bounds, list | tuple) and len(bounds) == 2 else None  # noqa: PLR2004
    return f"up to {say.share(upper)}"


def _at_most(limit: str) -> str:
    return limit if limit == say.MISSING else f"at most {limit}"
