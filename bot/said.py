"""What somebody typed for a launch, by the names of a form's fields, and which field to change where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIELD_OF_KEY: Final = {"method": "model", "provider": "model", "cap": "epochs", "classes": "suffix"}
"""Where a form says what is wrong with something that it has no field for."""


class FieldError(UserError):
    """A UserError that belongs to one field of a modal."""

    def __init__(self, field: str, error: UserError) -> None:
        super().__init__(error.code, error.message, error.hint)
        self.field = field


@dataclass(frozen=True, slots=True)
class Said:
    """The values as they were typed."""

    values: Mapping[str, str]

    def read(self, name: str, parse: Callable[[str], Any]) -> Any:
        """Return what a field means, "" where it is not there; FieldError where it means nothing."""
        try:
            return parse(self.values.get(name, ""))
        except UserError as error:
            raise FieldError(FIELD_OF_KEY.get(name, name), error) from error
