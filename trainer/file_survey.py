"""A job's files read whole before they are trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.hyperparameters import Survey, survey
from trainer.lines import Pair, Preference, TrainingFileError
from trainer.plan import BASE, TRAINING, VALIDATION
from trainer.saved_model import base_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MINIMUM_EXAMPLES = 10
ROWS = {
    "dpo": "it takes 'input', 'preferred_output' and 'non_preferred_output'",
    "supervised": "it takes 'messages', or 'prompt' and 'completion'",
}


class InvalidFile(Exception):  # noqa: N818 - becomes the job's error
    """A job's file cannot be used; carries the job's error."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "param": param}


def survey_files(home: Path, method: str, give_up: Callable[[], bool]) -> Survey:
    """Read a job's files whole. Raises InvalidFile with the line that is wrong."""
    training = survey_file(home / TRAINING, "training", give_up)
    if (training.kind is Preference) is not (method == "dpo"):
        said = f"The training file's rows are not those of the {method} method: {ROWS[method]}."
        raise InvalidFile("invalid_training_file", said, "training_file")
    if (home / BASE).exists() and base_kind(home / BASE) != ("prompt" if training.kind is Pair else "chat"):
        said = "The model that training goes on from was trained on rows of another format."
        raise InvalidFile("invalid_training_file", said, "training_file")
    if training.examples < MINIMUM_EXAMPLES:
        said = f"Training file has {training.examples} example(s), but must have at least {MINIMUM_EXAMPLES} examples"
        raise InvalidFile("invalid_n_examples", said, "training_file")
    if (home / VALIDATION).exists():
        validation = survey_file(home / VALIDATION, "validation", give_up)
        if validation.kind is not training.kind:
            said = "The validation file's format is not that of the training file."
            raise InvalidFile("invalid_validation_file", said, "validation_file")
    return training


def survey_file(path: Path, role: str, give_up: Callable[[], bool]) -> Survey:
    try:
        return survey(path, give_up)
    except TrainingFileError as error:
        said = f"The job failed due to an invalid {role} file. {error}"
        raise InvalidFile(f"invalid_{role}_file", said, f"{role}_file") from error
