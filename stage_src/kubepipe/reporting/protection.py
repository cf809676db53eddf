"""What was measured of personal data, as rows that the page and the summary share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.model import RunView, table
from kubepipe.reporting.numbers import number

CLASSES: Final = {
    "DIRECT": "Direct identifiers",
    "QUASI": "Quasi-identifiers",
    "ART9": "Art. 9 data",
    "OTHER": "Other",
}

_KINDS: Final = {
    "PERSON": "Names of people", "EMAIL": "E-mail addresses", "PHONE": "Telephone numbers", "IBAN": "Bank accounts",
    "CARD": "Card numbers", "NATIONAL_ID": "National numbers", "CODE": "Case and other numbers", "URL": "Web addresses",
    "HANDLE": "User names", "IP": "IP addresses", "MAC": "Device addresses", "ADDRESS": "Postal addresses",
    "ORG": "Organisations", "PLACE": "Places", "POSTCODE": "Postcodes", "NATIONALITY": "Nationalities", "DATE": "Dates",
    "AGE": "Ages", "HEALTH": "Health", "RELIGION": "Religion", "POLITICS": "Politics", "ETHNICITY": "Origin",
    "SEXUALITY": "Sexuality", "UNION": "Union membership", "BIOMETRIC": "Biometry", "OFFENCE": "Offences",
    "TITLE": "Titles", "EVENT": "Events", "WORK": "Works", "PRODUCT": "Products", "MISC": "Miscellaneous",
}  # fmt: skip

_SHARES: Final = {
    "at_risk": "Passages with a direct identifier",
    "sensitive_linkage": "Passages with Art. 9 data beside a direct identifier",
    "singling_out": "Passages singled out by their quasi-identifiers",
    "questions_at_risk": "Questions on such passages",
}


@dataclass(frozen=True, slots=True)
class Share:
    """A share of passages with its 95 % interval; 0 to 1.

    Attributes:
        value: The share.
        low: Lower bound, None without an interval.
        high: Upper bound.
    """

    value: float
    low: float | None
    high: float | None

    def bounds(self) -> str | None:
        """The interval, such as `66.2 to 74.9 %`, or None without one."""
        if self.low is None or self.high is None:
            return None
        return f"{say.percent(self.low)} to {say.share(self.high)}"

    def text(self) -> str:
        """As `70.7 % (66.2 to 74.9 %)`."""
        bounds = self.bounds()
        return f"{say.share(self.value)} ({bounds})" if bounds else say.share(self.value)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of personal data.

    Attributes:
        name: For people.
        cls: Its class, for people.
        found: Mentions in the original.
        distinct: Different values of them.
        replaced: Mentions that became pseudonyms.
    """

    name: str
    cls: str
    found: float | None
    distinct: float | None
    replaced: float


def kind_name(type_: str) -> str:
    """A type of entity in words."""
    return _KINDS.get(type_, type_)


def at_risk(seen: RunView) -> tuple[Share | None, Share | None]:
    """Share of passages in which a direct identifier of the original stands, before and after."""
    before = _share(table(seen.results("assess-privacy-risk").get("shares")).get("at_risk"))
    measures = table(seen.results("verify-privacy").get("measures"))
    after = {"share": measures.get("leaking_share"), "interval": measures.get("leaking_share_interval")}
    return before, _share(after)


def shares(seen: RunView) -> Iterator[tuple[str, Share | None, Share | None]]:
    """Name, before, after for each share of the risk report.

    Past the first row, pseudonyms count after protection as what they look like.
    """
    before = table(seen.results("assess-privacy-risk").get("shares"))
    after = table(table(seen.results("verify-privacy").get("after")).get("shares"))
    yield f"{_SHARES['at_risk']} of the original", *at_risk(seen)
    for name, label in list(_SHARES.items())[1:]:
        yield label, _share(before.get(name)), _share(after.get(name))


def classes(seen: RunView) -> Iterator[tuple[str, str, str]]:
    """Class, mentions per 1,000 words before and after; after, pseudonyms count as what they look like."""
    before = _by(seen.results("assess-privacy-risk").get("classes"), "class")
    after = _by(table(seen.results("verify-privacy").get("after")).get("classes"), "class")
    for name in dict.fromkeys([*before, *after]):
        density = [number(rows.get(name, {}).get("density_per_1000_tokens")) for rows in (before, after)]
        yield CLASSES.get(name, name), say.plain(density[0]), say.plain(density[1])


def kinds(seen: RunView) -> list[Kind]:
    """Kinds of personal data, those found most first."""
    rows = _by(seen.results("assess-privacy-risk").get("types"), "type")
    replaced = table(seen.results("anonymize-data").get("entities_replaced"))
    found = [
        Kind(
            name=kind_name(type_),
            cls=CLASSES.get(str(rows.get(type_, {}).get("class")), ""),
            found=number(rows.get(type_, {}).get("mentions")),
            distinct=number(rows.get(type_, {}).get("distinct")),
            replaced=number(replaced.get(type_)) or 0.0,
        )
        for type_ in dict.fromkeys([*rows, *replaced])
    ]
    return sorted(found, key=lambda kind: -(kind.found or 0.0))


def singled_out(seen: RunView) -> Iterator[tuple[str, str, str]]:
    """Passages by the fewest quasi-identifiers that single them out: before, and what still stands of these after."""
    before = table(seen.results("assess-privacy-risk").get("singled_out"))
    attacks = table(table(seen.results("verify-privacy").get("measures")).get("attacks"))
    after = table(attacks.get("singled_out"))
    if not before:
        return

    def both(label: str, figure: Callable[[Mapping[str, Any]], float | None]) -> tuple[str, str, str]:
        return label, say.count(figure(before)), say.count(figure(after))

    yield both("Passages compared with all others", lambda side: number(side.get("examined")))
    yield both("One value singles out", lambda side: _at(side.get("smallest"), 0))
    yield both("Two values together single out", lambda side: _at(side.get("smallest"), 1))
    yield both("Three values together single out", lambda side: _at(side.get("smallest"), 2))
    yield both("All values together single out", lambda side: number(side.get("unique")))


def people(seen: RunView) -> Iterator[tuple[str, str, str]]:
    """Risk of the further columns as a table of people: figure, before, after."""
    found = table(seen.results("assess-privacy-risk").get("people"))
    if not found:
        return
    gate = table(seen.results("verify-privacy").get("after"))
    left = table(gate.get("people"))

    def row(label: str, show: Callable[[float | None], str], name: str) -> tuple[str, str, str]:
        after = show(number(left.get(name))) if left else ("columns dropped" if gate else say.MISSING)
        return label, show(number(found.get(name))), after

    chosen = ", ".join(map(str, found.get("quasi_identifiers") or []))
    yield f"Quasi-identifiers ({found.get('chosen')})", chosen, _columns_left(gate, left)
    yield row("Records", say.count, "rows")
    yield row("Fewest that share their values (k)", say.count, "k")
    yield row("Records that stand alone", say.count, "unique")
    yield row("Highest chance to pick one out (prosecutor)", say.share, "prosecutor_risk")
    yield row("Average chance", say.share, "average_risk")
    yield row("Records at risk (chance above 20 %)", say.share, "at_risk")
    for each in map(table, found.get("sensitive") or []):
        figures = [_three_digits(number(each.get(name))) for name in ("l", "entropy_l", "t")]
        yield f"{each.get('name')}: l, entropy l, t", ", ".join(figures), _columns_left(gate, left)
    absent = ", ".join(map(str, found.get("absent") or []))
    if absent:
        yield "Declared and not in the data", absent, say.MISSING


def _three_digits(value: float | None) -> str:
    return say.MISSING if value is None else say.three_digits(value)


def _columns_left(gate: Mapping[str, Any], left: Mapping[str, Any]) -> str:
    if not gate:
        return say.MISSING
    return ", ".join(map(str, left.get("quasi_identifiers") or [])) if left else "columns dropped"


def _at(values: Any, index: int) -> float | None:
    return number(values[index]) if isinstance(values, list | tuple) and index < len(values) else None


def _share(value: Any) -> Share | None:
    share = number(table(value).get("share"))
    if share is None:
        return None
    bounds = table(value).get("interval")
    low, high = bounds if isinstance(bounds, list | tuple) and len(bounds) == 2 else (None, None)  # noqa: PLR2004
    return Share(share, number(low), number(high))


def _by(rows: Any, key: str) -> dict[str, Mapping[str, Any]]:
    found = [table(row) for row in rows] if isinstance(rows, list) else []
    return {str(row[key]): row for row in found if key in row}


def language_warning(seen: RunView) -> str | None:
    """That passages are in another language than the declared one, where some are."""
    before = seen.results("assess-privacy-risk")
    other = table(before.get("other_language"))
    passages = number(other.get("passages"))
    if not passages:
        return None
    counted = ", ".join(f"{name} {say.count(number(n))}" for name, n in table(other.get("languages")).items())
    return (
        f"{say.count(passages)} passages of {say.count(number(other.get('documents')))} documents are in another "
        f"language than the declared '{before.get('language')}' ({counted}): what protection finds in them is little."
    )
