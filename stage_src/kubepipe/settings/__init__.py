"""Settings: the one source of the CLI's help, the documentation, the pipeline's defaults and the chart's schema."""

from kubepipe.settings.load import (
    PROFILES,
    load_settings,
    merge_settings,
    parse_settings,
    settings_digest,
    settings_json,
)
from kubepipe.settings.model import (
    Columns,
    DatasetSettings,
    EnergySettings,
    PublishSettings,
    RetentionSettings,
    ScoringSettings,
    ServingSettings,
    Settings,
    TrainingSettings,
)
from kubepipe.settings.privacy import PrivacySettings

__all__ = [
    "PROFILES",
    "Columns",
    "DatasetSettings",
    "EnergySettings",
    "PrivacySettings",
    "PublishSettings",
    "RetentionSettings",
    "ScoringSettings",
    "ServingSettings",
    "Settings",
    "TrainingSettings",
    "load_settings",
    "merge_settings",
    "parse_settings",
    "settings_digest",
    "settings_json",
]
