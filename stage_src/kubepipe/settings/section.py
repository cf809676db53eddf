"""What all sections of the settings have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """Base of all sections: immutable, unknown names refused, no silent conversion of texts to numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
