"""The base of every mapping in the configuration: unknown keys are refused with what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from slowpath.control.config.problems import KeyPath, alternatives


class Section(BaseModel):
    """A frozen mapping with known keys."""

    foreign: ClassVar[Mapping[str, str]] = {}
    """Keys that look as if they belonged here, and what they belong to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, value: object, handler: ModelWrapValidatorHandler[Section]) -> Section:
        try:
            return handler(value)
        except ValidationError as error:
            details = [
                cls._detail(detail)
                for detail in error.errors(include_url=False)
                # pydantic calls a collection too short, too, when an item of it was wrong.
                if not (detail["type"] == "too_short" and detail["input"])
            ]
            raise ValidationError.from_exception_data(cls.__name__, details) from None

    @classmethod
    def _detail(cls, detail: ErrorDetails) -> InitErrorDetails:
        """The same error in our words; an inner section has put its own into words already."""
        kind, given = detail["type"], detail["input"]
        if kind == "worded":
            message = detail["msg"]
        elif kind == "extra_forbidden":
            message = cls._unknown(str(detail["loc"][-1]))
        elif kind == "missing":
            message = "is required"
        elif kind == "too_short":
            message = "is empty: it needs at least one entry"
        elif kind == "value_error":
            message = str(detail["ctx"]["error"])
        elif kind in ("model_type", "dict_type"):
            message = f"is a mapping of keys to values, not {_shown(given)}"
        elif kind == "tuple_type":
            message = f"is a list, not {_shown(given)}"
        else:
            message = f"{detail['msg'].replace('Input should', 'should')}, not {_shown(given)}"
        return _worded(detail["loc"], message, given)

    @classmethod
    def _unknown(cls, key: str) -> str:
        if key in cls.foreign:
            return f"belongs to {cls.foreign[key]} only"
        return f"unknown key: {alternatives(key, list(cls.model_fields))}"


def mistakes(section: str, found: Iterable[tuple[KeyPath, str]]) -> ValidationError:
    """The error of a section that is right key by key but wrong as a whole: messages by the key path within it."""
    return ValidationError.from_exception_data(section, [_worded(path, message, None) for path, message in found])


def _worded(path: KeyPath, message: str, given: object) -> InitErrorDetails:
    # The message is handed over as a value: it may contain what looks like a placeholder.
    worded = PydanticCustomError("worded", "{message}", {"message": message})
    return InitErrorDetails(type=worded, loc=path, input=given)


def _shown(value: object) -> str:
    """A value as messages show it: containers by what they are, scalars as they stand."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "nothing" if value is None else repr(value)
