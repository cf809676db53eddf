"""All settings of a run: frozen, described, and refused when unknown.

These models are the one source of the CLI's help, docs/settings.md, the pipeline's defaults and the chart's schema.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kubepipe.settings.privacy import PrivacySettings
from kubepipe.settings.section import Section, Share


class Columns(Section):
    """Names of the columns in row formats (JSONL, CSV, Parquet, datasets), where they differ from the usual ones."""

    context: str = Field("context", description="Column with the context.")
    question: str = Field("question", description="Column with the question.")
    answers: str = Field(
        "answers",
        description="Column with the answers: {text: [...], answer_start: [...]}, a list of texts, or one text.",
    )
    answer_start: str = Field(
        "answer_start", description="Column with the offset, where the answers column holds a plain text."
    )
    id: str = Field("id", description="Column with the question's id; made from the row number when absent.")
    document: str = Field(
        "title", description="Column that names the document of a context; the context itself stands in when absent."
    )


class DatasetSettings(Section):
    """How a data set is read and split."""

    format: Literal["auto", "squad", "jsonl", "csv", "parquet", "datasets"] = Field(
        "auto", description="Format of the data set; auto looks at the content."
    )
    columns: Columns = Field(default_factory=Columns, description="Column names of row formats.")
    validation_share: float = Field(
        0.2, gt=0.0, lt=1.0, description="Share of the documents held out when the data set has no split of its own."
    )
    max_train_questions: int | None = Field(
        None, ge=1, description="At most this many training questions are kept, whole passages first; null means all."
    )
    max_validation_questions: int | None = Field(
        None, ge=1, description="At most this many validation questions are kept; null means all."
    )
    max_bytes: int = Field(
        5_000_000_000, ge=1, description="Largest size of a data set in bytes, after unpacking; more is refused."
    )


class TrainingSettings(Section):
    """The language model and how it is fine-tuned."""

    model: str = Field(
        "SmolLM2-135M-Instruct",
        description="Causal language model: a folder, an installed model package, or, when online, a hub name.",
    )
    method: Literal["lora", "full"] = Field("lora", description="LoRA adapters on all linear layers, or all weights.")
    rank: int = Field(16, ge=1, le=512, description="LoRA rank.")
    alpha: int = Field(
        32, ge=1, description="LoRA alpha; with rank-stabilised scaling the factor is alpha / sqrt(rank)."
    )
    rslora: bool = Field(True, description="Rank-stabilised LoRA scaling.")
    dora: bool = Field(
        False,
        description="Train the magnitude of each adapted weight apart from its direction (DoRA); slower than LoRA.",
    )
    learning_rate: float = Field(3e-4, gt=0.0, description="Peak learning rate; linear warm-up and decay.")
    warmup_share: Share = Field(0.06, description="Share of the steps over which the learning rate rises.")
    epochs: float = Field(1.0, gt=0.0, description="Passes over the training questions.")
    tokens_per_batch: int = Field(
        512, ge=128, description="Token budget of one optimiser step; each context counts once with all its questions."
    )
    questions_per_row: int | None = Field(
        5,
        ge=1,
        description="Most questions that share one reading of their context in a row. More take less time; fewer mix "
        "more contexts in a step. null sets no bound, 1 shares nothing.",
    )
    max_tokens: int = Field(
        1024,
        ge=64,
        description="Longest context in tokens; longer ones are cut to a window around the answer and counted.",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="Arithmetic: auto takes bf16 where the machine computes it natively."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU when there is one.")
    threads: int | None = Field(None, ge=1, description="CPU threads; null takes what the machine or the pod has.")
    weight_decay: float = Field(0.0, ge=0.0, description="Weight decay of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0.0, description="Gradients are clipped to this norm.")
    validation_questions: int = Field(
        32, ge=0, description="Held-out questions whose loss is taken before and after training; 0 takes none."
    )
    evaluations: int = Field(
        0,
        ge=0,
        description="Times within a run that those held-out questions are answered and scored; the weights with the "
        "best F1 are kept. 0 keeps the last ones.",
    )
    patience: int = Field(
        0, ge=0, description="Training stops after so many evaluations without a better F1; 0 goes on to the end."
    )
    merged: bool = Field(
        False, description="Write the model with its adapter merged in beside it, for programs that know no adapters."
    )
    checkpoint_seconds: float = Field(
        300.0, gt=0.0, description="Seconds between checkpoints; a stopped run goes on from the newest."
    )

    @model_validator(mode="after")
    def _fits(self) -> TrainingSettings:
        if self.dora and self.method != "lora":
            raise ValueError("DoRA is a kind of adapter; set training.method to lora")
        if self.patience and not self.evaluations:
            raise ValueError("patience does nothing without evaluations; set training.evaluations")
        if self.evaluations and not self.validation_questions:
            raise ValueError("evaluations have nothing to ask; set training.validation_questions above 0")
        return self


class ScoringSettings(Section):
    """How the model is asked and scored."""

    max_new_tokens: int = Field(32, ge=1, le=512, description="Longest answer in tokens.")
    batch_size: int = Field(16, ge=1, description="Questions that are answered at once.")
    bootstrap: int = Field(1000, ge=0, description="Resamples behind the 95 % intervals; 0 leaves the intervals out.")
    sample_questions: int = Field(
        20, ge=1, description="Held-out questions that model-inference answers besides the user's own."
    )


class EnergySettings(Section):
    """Where the electricity comes from and what the machine draws."""

    country: str = Field(
        "DEU", pattern="^[A-Z]{3}$", description="ISO 3166-1 alpha-3 code of the grid; an unknown code is an error."
    )
    pue: float = Field(
        1.0, ge=1.0, description="Power usage effectiveness of the site (assumed unless you measured it)."
    )
    wue: float = Field(0.0, ge=0.0, description="Litres of water on site per kWh of IT energy.")
    cpu_watts_per_core: float | None = Field(
        None, gt=0.0, description="Watts of one busy core, when you know it; null takes the model's value."
    )
    ram_watts_per_gib: float = Field(0.3725, ge=0.0, description="Watts per GiB of memory in use (Green Algorithms).")
    price_per_kwh: float = Field(0.30, ge=0.0, description="Price of a kWh, for the cost line of the report.")
    currency: str = Field("EUR", description="Currency of the price.")


class PublishSettings(Section):
    """When a model is good enough to be published."""

    min_f1: float = Field(0.0, ge=0.0, le=100.0, description="Lower bound of the 95 % interval of F1 must reach this.")
    min_exact_match: float = Field(0.0, ge=0.0, le=100.0, description="The same for exact match.")
    must_improve: bool = Field(True, description="F1 of the tuned model must be above that of the untuned model.")
    tolerance: float | None = Field(
        2.0,
        ge=0.0,
        description="Points by which F1 and exact match may lie below those of the current release, taking the upper "
        "end of the new model's 95 % interval; null leaves this out.",
    )


class ServingSettings(Section):
    """How a published model answers over HTTP."""

    port: int = Field(8080, ge=1, le=65535, description="Port of the server.")
    max_questions: int = Field(64, ge=1, description="Most questions of one request.")
    max_body_bytes: int = Field(1_000_000, ge=1024, description="Largest body of a request in bytes.")
    max_request_tokens: int = Field(
        16_384, ge=64, description="Most tokens of one request: of its context and all its questions."
    )
    request_seconds: float = Field(60.0, gt=0.0, description="A request that waits or computes longer is given up.")
    queue_questions: int = Field(
        256, ge=1, description="Most questions that wait at once; further requests are told to come back (429)."
    )
    batch_size: int = Field(16, ge=1, description="Most questions that are computed at once.")
    context_cache_mb: int = Field(
        64,
        ge=0,
        description="Megabytes for contexts that were read: questions on one of them later need not read it again. "
        "They are kept in memory only; 0 keeps none.",
    )
    watch_seconds: float = Field(5.0, gt=0.0, description="Seconds between looks at which release is current.")
    drain_seconds: int = Field(
        60,
        ge=1,
        description="Seconds that running requests get when the server is stopped; below request_seconds some are cut.",
    )


Days = Annotated[int, Field(ge=0)]


class RetentionSettings(Section):
    """Days that each class of artifacts is kept; 0 keeps it. A chart's `global.retention` has the same names."""

    raw: Days = Field(0, description="What was dropped into the bucket; on a laptop the source is never touched.")
    intermediate: Days = Field(30, description="What the steps before the gate handed on, sealed, with its data key.")
    protected: Days = Field(30, description="Protected data sets.")
    permits: Days = Field(0, description="Privacy permits.")
    records: Days = Field(0, description="Records of runs, reports and logs.")
    models: Days = Field(0, description="Models and releases.")
    quarantine: Days = Field(
        30,
        description="What the privacy gate keeps, when nobody decides: after it nobody can open it. Decisions too.",
    )
    mappings: Days = Field(365, description="Encrypted mappings of surrogates.")


class Settings(Section):
    """All settings of a run."""

    online: bool = Field(False, description="Allow downloads of models from a hub. Off in every image.")
    seed: int = Field(0, ge=0, description="Seed of everything that is random.")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that read for personal data side by side in the privacy steps; each takes about 0.2 GB "
        "of memory. The results are the same with any number.",
    )
    dataset: DatasetSettings = Field(default_factory=DatasetSettings, description="Reading and splitting.")
    privacy: PrivacySettings = Field(default_factory=PrivacySettings, description="Privacy policy and gate.")
    training: TrainingSettings = Field(default_factory=TrainingSettings, description="Model and fine-tuning.")
    scoring: ScoringSettings = Field(default_factory=ScoringSettings, description="Benchmark and inference.")
    energy: EnergySettings = Field(default_factory=EnergySettings, description="Energy, carbon, cost.")
    publish: PublishSettings = Field(default_factory=PublishSettings, description="Publication thresholds.")
    serving: ServingSettings = Field(default_factory=ServingSettings, description="Serving.")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="How long what is kept, by `kubepipe retention`."
    )
