"""What clients' connections say of servers, and what follows (docs/configuration.md, passive)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from slowpath.control.config.section import Section
from slowpath.control.config.values import Duration
from slowpath.health.outliers import OutlierPolicy

Limit = Annotated[int, Field(strict=True, ge=0, le=1000)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]


class PassiveConfig(Section):
    """How many failures in a row are too many (0: any number is fine), and how long a server is ejected for them."""

    connect_failures: Limit = 5
    resets: Limit = 0
    slow: Limit = 5
    window: Duration = 30.0
    reset_within: Duration = 1.0
    slow_factor: Annotated[float, Field(ge=1, le=1000)] = 10.0
    slow_floor: Duration = 0.1
    ejection: Duration = 10.0
    max_ejection: Duration = 300.0
    max_ejected: Percent = 50

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_ejection < self.ejection:
            raise ValueError(f"max_ejection is less than ejection, which is {self.ejection:g}s")
        return self

    def policy(self) -> OutlierPolicy:
        """As the passive checks know it."""
        return OutlierPolicy(
            limits={"connect": self.connect_failures, "reset": self.resets, "slow": self.slow},
            window=self.window,
            reset_within=self.reset_within,
            slow_factor=self.slow_factor,
            slow_floor=self.slow_floor,
            base=self.ejection,
            longest=self.max_ejection,
            largest_share=self.max_ejected,
        )


def on_or_off(value: object) -> object:
    """`false` is no passive checks, `true` those of the defaults."""
    if isinstance(value, bool):
        return {} if value else None
    return value
