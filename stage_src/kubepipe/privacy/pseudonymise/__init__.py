"""Replacing what was found by keyed surrogates, the same in every field, passage and file."""

from kubepipe.privacy.pseudonymise.engine import Protected, Pseudonymiser
from kubepipe.privacy.pseudonymise.survey import Survey, survey
from kubepipe.privacy.pseudonymise.vault import Vault

__all__ = ["Protected", "Pseudonymiser", "Survey", "Vault", "survey"]
