"""The two roots of everything that can be raised on purpose.

    Exception
    ├── UserError         somebody can do something about it: safe to show, says what to do next
    └── OperationalError  something on our side: logged with its reference, shown as "something failed on our side"

Problems in a dataset are neither: they are values (`finetune.findings`).
"""

from __future__ import annotations


class UserError(Exception):
    """A refusal a person can act on.

    `code` is stable and for programs; `message` says what is wrong and `hint` what to do next, both in plain words
    and safe to show in a channel once escaped.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code = code
        self.message = message
        self.hint = hint


class OperationalError(Exception):
    """Something on our side did not hold; `reference` is what the log and the person's message share."""

    def __init__(self, message: str, *, reference: str = "") -> None:
        super().__init__(message)
        self.reference = reference
