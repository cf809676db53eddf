"""Settings of the privacy steps and the gate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from kubepipe.settings.entities import ENTITY_NAMES, Action
from kubepipe.settings.section import Section, Share


class PrivacySettings(Section):
    """What is found, how it is replaced, and when the gate lets data pass."""

    enabled: bool = Field(
        True,
        description="Pseudonymise at all. Off, the gate still measures, and refuses data with personal data in it.",
    )
    language: str = Field("en", pattern="^[a-z]{2}$", description="ISO 639-1 code of the data's language.")
    spacy_model: str | None = Field(
        None,
        description="spaCy pipeline with an NER component, as package name or path; null takes the language's own.",
    )
    locale: str | None = Field(
        None, description="Faker locale of the surrogates, for example de_DE; null takes the language's usual one."
    )
    detectors: tuple[str, ...] | None = Field(
        None,
        description="Further detectors besides the model and the rules: names of plug-ins (entry points of the group "
        "kubepipe.detectors), presidio, or onnx:FOLDER with an exported token classifier; null takes all installed "
        "plug-ins, an empty list none.",
    )
    classes: tuple[Literal["DIRECT", "QUASI", "ART9", "OTHER"], ...] = Field(
        ("DIRECT", "QUASI"), description="Classes of entities that are replaced in the first round."
    )
    method: Literal["pseudonymise", "mask"] = Field(
        "pseudonymise",
        description="What takes the place of an entity: a surrogate that a key chooses, or the tag of its type.",
    )
    actions: dict[str, Action] = Field(
        default_factory=dict,
        description="What is done with a class or a type where it differs from `method`, for example "
        "{AGE: generalise, PLACE: mask}; a type counts before its class. generalise leaves the year of a date, ten "
        "years of an age, the country of a place, and the tag of any other type; drop leaves nothing.",
    )
    unknown_columns: Literal["drop", "refuse"] = Field(
        "drop",
        description="What minimisation does with columns beyond context, question, answers: drop and count, or stop.",
    )
    quasi_identifiers: tuple[str, ...] = Field(
        (),
        description="Further columns that an outsider may know about a person (age, place, job); none named: those "
        "whose name or values look so. The assessment counts how many people share their values (k).",
    )
    sensitive_columns: tuple[str, ...] = Field(
        (),
        description="Further columns that nobody should learn about a person; none named: those that look so. The "
        "assessment tells how much the quasi-identifiers give away of them (l, t).",
    )
    min_k: int = Field(
        5,
        ge=1,
        description="Fewest people that must share the values of their quasi-identifier columns. With fewer the "
        "assessment says risk: yes, and the gate refuses data that still has these columns.",
    )
    max_direct_density: float = Field(
        0.0,
        ge=0.0,
        description="Most direct identifiers per 1,000 tokens at which the assessment still says: no risk.",
    )
    max_rounds: int = Field(
        3, ge=1, le=10, description="Rounds of pseudonymise, measure, escalate before the data is quarantined."
    )
    max_residual_direct: float = Field(
        0.0,
        ge=0.0,
        description="Highest share of passages in which a direct identifier of the original may still stand.",
    )
    max_redetected: float = Field(
        2.0,
        ge=0.0,
        description="Highest number of direct identifiers per 1,000 tokens that a second look may still find and that "
        "are no surrogates.",
    )
    max_missed_probes: Share = Field(
        0.15,
        description="Highest share of seeded probes (invented people and numbers, put into a copy of the data) that "
        "protection may miss: the upper end of the 95 % interval counts. 1 leaves the probes out.",
    )
    max_singled_out: Share = Field(
        0.3,
        description="Highest share of passages that quasi-identifiers of the original which still stand may single out "
        "(upper end of the 95 % interval).",
    )
    max_linked: Share = Field(
        0.3,
        description="Highest share of passages that an outsider who knows what the original says of people may link to "
        "their protected form, beyond what a control links by the prose alone (upper end of the 95 % interval).",
    )
    second_detector: str | None = Field(
        "names",
        description="A second, different detector that reads the protected data: names is the built-in one (case and "
        "lists of names), else a spaCy pipeline as package name or path; null takes none, and the report says so.",
    )
    max_disagreement: Share = Field(
        0.15,
        description="Highest share of passages in which the second detector may see a direct identifier that stood in "
        "the original (upper end of the 95 % interval); below 1 a second detector is needed.",
    )
    max_dropped: Share = Field(
        0.2, description="Highest share of questions that protection may cost before the data is quarantined."
    )
    require_approval: bool = Field(
        False, description="Ask a person before training: the gate ends with needs_human, the data stays sealed."
    )
    mapping: Literal["none", "sealed"] = Field(
        "none",
        description="sealed keeps which surrogate stands for what, encrypted entry by entry under mapping.key, for "
        "`kubepipe reidentify`; none keeps nothing.",
    )

    @field_validator("actions")
    @classmethod
    def _known(cls, actions: dict[str, Action]) -> dict[str, Action]:
        unknown = sorted(set(actions) - set(ENTITY_NAMES))
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no class or type; there are {', '.join(ENTITY_NAMES)}")
        return actions
