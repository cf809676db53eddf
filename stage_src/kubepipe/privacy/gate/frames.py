"""Sentences that probes are put into: ordinary ways of naming a person or a number, by language and type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FRAMES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "PERSON": (
            "The text was read again by {} in the spring.",
            "According to {}, none of this was known at the time.",
            "A copy was sent to {} the same week.",
            "{} disagreed with this account.",
            "Later work by {} confirmed it.",
        ),
        "EMAIL": ("Questions may be sent to {}.", "Write to {} for a copy.", "Contact: {}"),
        "PHONE": ("The office can be reached at {}.", "Call {} before noon.", "Telephone: {}."),
        "IBAN": ("Donations go to {}.", "The money was paid into account {} on Monday."),
        "CARD": ("It was paid with card {}.", "The card number {} was written on the back."),
        "CODE": ("The matter was registered under no. {}.", "See application no. {} for the details."),
    },
    "de": {
        "PERSON": (
            "Der Text wurde im Frühjahr von {} noch einmal gelesen.",
            "Nach Angaben von {} war davon damals nichts bekannt.",
            "{} widersprach dieser Darstellung.",
        ),
        "EMAIL": ("Fragen beantwortet {}.", "Eine Kopie gibt es bei {}."),
        "PHONE": ("Das Büro ist unter {} zu erreichen.", "Telefon: {}."),
        "IBAN": ("Spenden gehen an {}.", "Das Geld ging am Montag auf das Konto {}."),
        "CARD": ("Bezahlt wurde mit der Karte {}.",),
        "CODE": ("Der Vorgang hat das Aktenzeichen {}.", "Siehe Beschwerde Nr. {}."),
    },
    "fr": {
        "PERSON": (
            "Le texte a été relu par {} au printemps.",
            "Selon {}, rien de cela n'était connu à l'époque.",
            "{} a contesté ce récit.",
        ),
        "EMAIL": ("Les questions sont à adresser à {}.", "Écrire à {} pour une copie."),
        "PHONE": ("Le bureau répond au {}.", "Téléphone : {}."),
        "IBAN": ("Les dons sont versés sur {}.", "L'argent a été viré sur le compte {} lundi."),
        "CARD": ("Le paiement a été fait avec la carte {}.",),
        "CODE": ("L'affaire porte le n° {}.", "Voir la requête n° {}."),
    },
}
