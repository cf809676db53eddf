"""How names are written: the pieces that the rules for people, places and organisations are made of."""

from __future__ import annotations

import re
from typing import Final

NAME_WORD: Final = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:['\u2019\-][^\W\d_]+)*"
"""A word that begins with a capital letter; hyphens and apostrophes join."""

PARTICLE: Final = (
    r"(?:van der|van den|van de|van|von und zu|von der|von dem|von|vom|zur|zum|de la|de los|de las|de|del|"
    r"dell['\u2019]|della|degli|dei|di|da|das|dos|do|du|des|bin|ibn|ben|bint|abu|ould|al|el|la|le|zu|ter|ten|te|den|der|af|av|e|y|i|"
    r"[Ó\u00d2]|[Nn]\u00ed|[Mm]ac|ap)"
)
"""Words in small letters that stand inside names."""

# Two letters for one sound of another script: Gyula is Gy., Yevgeniy is Ye.
_DIGRAPH: Final = r"(?:Ch|Cs|Dz|Dž|Gy|Ia|Iu|Ju|Kh|Lj|Nj|Ny|Ph|Sh|Shch|St|Sz|Th|Ts|Tz|Ty|Ya|Ye|Yo|Yu|Zh|Zs)"
INITIAL: Final = rf"(?:[^\W\d_a-z]|{_DIGRAPH})\."
"""A first letter with its full stop."""

INITIALS: Final = rf"{INITIAL}(?:[ \t]?-?{INITIAL})*"
"""One or several: J. or J.-P. or A. B."""

# A full stop belongs to a name only behind an initial: "J. Smith", but not "Smith. Her".
_PART: Final = rf"(?:{INITIALS}|{NAME_WORD})"
FULL_NAME: Final = rf"(?:{PARTICLE}[ \t]+|al-)?{_PART}(?:(?:[ \t]+|(?<=\.))(?:{PARTICLE}[ \t]+|al-)?{_PART}){{0,5}}"
"""A name with its particles, initials and surnames."""

TITLE: Final = (
    r"(?:Messrs|Mr(?: and Mrs)?|Mrs|Ms|Mx|Miss|Drs?|Profs?|Professor|Doctor|Sir|Dame|"
    r"(?:Mr |Mrs |Ms |Chief |Lord |Lady )?Justice|Lord|Lady|Rev|Reverend|"
    r"Judges?|Capt|Captain|Sgt|Sergeant|Lt|Lieutenant|Col|Colonel|Inspector|"
    r"Superintendent|Sister|Nurse|Herrn?|Frau|Fräulein|Monsieur|Madame|Mademoiselle|MM|Mme|Mlle|Maître)"
)
"""Forms of address that a name follows."""


def words_of_expression(alternatives: str) -> frozenset[str]:
    """The words of a list of alternatives, with and without an optional last letter (`Dr` and `Drs` of `Drs?`)."""
    found = re.findall(r"([^\W\d_]+)(\??)", alternatives)
    return frozenset(word for word, _ in found) | frozenset(word[:-1] for word, is_optional in found if is_optional)


TITLE_WORDS: Final = words_of_expression(TITLE)
"""Words that a title begins with."""
