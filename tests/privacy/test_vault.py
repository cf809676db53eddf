"""Names of several words in the vault: found whole, wherever they stand."""

from __future__ import annotations

import pytest

from kubepipe.privacy.pseudonymise.vault import Vault

# Of ordinary words, so that none counts alone.
_NAMES = {("will", "may"), ("will", "green"), ("will", "green", "hope"), ("rose", "green")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Will Green asked.", ["Will Green"]),
        ("They asked Will May", ["Will May"]),
        ("So Will Green Hope said.", ["Will Green", "Will Green Hope"]),
        ("Will Rose Green come?", ["Rose Green"]),
        ("does will green ask?", ["will green"]),
        ("Does Alice see will green leave?", []),
        ("Will", []),
        ("", []),
    ],
)
def test_names_that_share_words(text: str, expected: list[str]) -> None:
    """Each name of several words is found as a whole; one that begins like another hides none."""
    vault = Vault()
    vault.add(_NAMES, ())
    assert sorted(text[span.start : span.end] for span in vault.find(text)) == expected
