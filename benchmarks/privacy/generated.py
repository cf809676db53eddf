"""Judgments that nobody has read: paragraphs of a file, filled with Faker's names of 27 countries.

Every judgment has a seed, so its names are new to all rules, and the same in every run.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from privacy.labelled import Labelled

JUDGMENTS: Final = 60
_LOCALES: Final = (
    "az_AZ", "cs_CZ", "da_DK", "de_AT", "de_DE", "en_GB", "en_IE", "es_ES", "et_EE", "fi_FI", "fr_CH", "fr_FR",
    "hr_HR", "hu_HU", "it_IT", "lt_LT", "lv_LV", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_PT", "ro_RO", "sk_SK",
    "sl_SI", "sv_SE", "tr_TR",
)  # fmt: skip
_STATES: Final = (
    "Turkey", "Poland", "Russia", "Bulgaria", "Italy", "Ukraine", "Slovenia", "Hungary", "Latvia", "Greece",
    "Moldova", "Finland",
)  # fmt: skip
_CITIES: Final = (
    "Ankara", "Warsaw", "Perm", "Sofia", "Bari", "Kyiv", "Ljubljana", "Szeged", "Riga", "Graz", "Split",
    "Utrecht", "Turku", "Porto",
)  # fmt: skip
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_SAME_SURNAME: Final = {"bro": "a", "kid": "a"}
_MARK: Final = re.compile(r"⟦([^⟧]*)⟧|\{([^}]*)\}")


def read_templates(path: Path) -> list[Labelled]:
    """Judgments made of the paragraphs of a file; `whose` tells which person or number each gold span names."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] not in ("#", "")]
    return [_Judgment(seed).made(lines) for seed in range(JUDGMENTS)]


class _Judgment:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 no secret
        self._people: dict[str, dict[str, str]] = {}
        self._numbers: dict[str, str] = {}
        self._state = self._chance.choice(_STATES)

    def made(self, lines: list[str]) -> Labelled:
        """The paragraphs, filled."""
        last = max(index for index, line in enumerate(lines) if line.startswith("+"))
        head = [line[1:] for line in lines[:last] if line.startswith("+")]
        body = [line for line in lines if not line.startswith("+")]
        some = self._chance.sample(body, self._chance.randint(len(body) * 2 // 3, len(body)))
        text, gold, whose, position = "", [], [], 0
        template = "\n".join([*head, *some, lines[last][1:]]).replace("¶", "\n")
        for match in _MARK.finditer(template):
            text += template[position : match.start()]
            position = match.end()
            if match.group(2) is not None:
                text += self._plain(match.group(2))
                continue
            name, _, form = match.group(1).partition(".")
            value = self._person(name)[form] if form else self._number(name)
            gold.append((len(text), len(text) + len(value), "PERSON" if form else "CODE"))
            whose.append(name)
            text += value
        return Labelled(text + template[position:], tuple(gold), tuple(whose))

    def _plain(self, mark: str) -> str:
        name, _, form = mark.partition(":")
        if form:
            return self._person(name)[form]
        if mark == "d":
            return f"{self._chance.randint(1, 28)} {self._chance.choice(_MONTHS)} {self._chance.randint(1988, 2017)}"
        return {"STATE": self._state.upper(), "state": self._state}.get(mark) or self._chance.choice(_CITIES)

    def _number(self, name: str) -> str:
        serial, year = self._chance.randint(100, 79999), self._chance.randint(1990, 2017)
        made = f"{serial}/{year % 100:02d}" if name.startswith("n") else f"{year}/{serial % 1000}"
        return self._numbers.setdefault(name, made)

    def _person(self, name: str) -> dict[str, str]:
        if name not in self._people:
            faker = _faker(self._chance.choice(_LOCALES))
            faker.seed_instance(self._chance.random())
            is_man = name == "bro" or self._chance.random() < 0.5  # noqa: PLR2004 half of them
            first = faker.first_name_male() if is_man else faker.first_name_female()
            last = faker.last_name_male() if is_man else faker.last_name_female()
            if name in _SAME_SURNAME:
                last = self._person(_SAME_SURNAME[name])["last"]
            self._people[name] = {
                "first": first,
                "last": last,
                "full": f"{first} {last}",
                "caps": last.upper(),
                "short": f"{first[0]}. {last}",
                "T": "Mr" if is_man else self._chance.choice(["Mrs", "Ms"]),
                "he": "he" if is_man else "she",
                "his": "his" if is_man else "her",
            }
        return self._people[name]


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)
