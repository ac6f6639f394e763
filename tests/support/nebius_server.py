"""Nebius Token Factory, in the shapes of its API reference and of the answers printed in its cookbook.

Files without a status, jobs without a model or metadata, checkpoints with the figures of an epoch and the weights as
files, events oldest first: docs.tokenfactory.nebius.com/api-reference/fine-tuning, and the notebook of `post-training/
fine-tuning-1` in github.com/nebius/token-factory-cookbook, whose names of files, runs, checkpoints and models are kept.
Models made of checkpoints: …/api-reference/models. A body that does not fit is refused as FastAPI words it
(`HTTPValidationError`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.support.recorded_server import Recorded
from tests.support.wire import Told

if TYPE_CHECKING:
    from tests.support.wire import Asked

BASE: Final = "meta-llama/Llama-3.1-8B-Instruct"
ASKED: Final = "meta-llama/Meta-Llama-3.1-8B-Instruct"
BEGAN_S: Final = 1_765_431_035
JOBS: Final = "/v1/fine_tuning/jobs"
ARGUMENTS: Final = frozenset(
    {
        "model", "training_file", "from_checkpoint", "validation_file", "hyperparameters", "method", "integrations",
        "seed", "suffix", "tags",
    }
)  # fmt: skip
SETTINGS: Final[dict[str, tuple[type, ...]]] = {
    "batch_size": (int,), "learning_rate": (float,), "n_epochs": (int,), "warmup_ratio": (int, float),
    "weight_decay": (int, float), "packing": (bool,), "max_grad_norm": (int, float), "context_length": (int,),
    "lora": (bool,), "lora_r": (int,), "lora_alpha": (int,), "lora_dropout": (int, float),
}  # fmt: skip
DEFAULTS: Final[dict[str, Any]] = {
    "batch_size": 8, "learning_rate": 0.00001, "n_epochs": 3, "warmup_ratio": 0, "weight_decay": 0, "packing": True,
    "max_grad_norm": 1, "context_length": 8192, "lora": False, "lora_r": 8, "lora_alpha": 8, "lora_dropout": 0,
}  # fmt: skip
LOSSES: Final = ((3.363983, 3.284986), (3.316328, 2.397027), (3.147930, 2.252911))
"""Of training and validation, of three of the epochs that the notebook shows."""


@dataclass(slots=True)
class Nebius(Recorded):
    """`statuses`: a run's, look by look. `validating`: how often a new model is asked in vain."""

    routes: ClassVar[dict[str, str]] = {
        "POST /v1/files": "upload",
        "GET /v1/files": "files",
        "GET /v1/files/([^/]+)": "file",
        "DELETE /v1/files/([^/]+)": "forget_file",
        f"POST {JOBS}": "create",
        f"GET {JOBS}": "jobs_list",
        f"GET {JOBS}/([^/]+)": "job",
        f"POST {JOBS}/([^/]+)/cancel": "cancel",
        f"GET {JOBS}/([^/]+)/events": "events",
        f"GET {JOBS}/([^/]+)/checkpoints": "checkpoints",
        "GET /v0/models": "custom",
        "POST /v0/models": "make",
        "DELETE /v0/models/(.+)": "forget",
        "POST /v1/chat/completions": "chat",
    }
    statuses: list[str] = field(default_factory=lambda: ["validating_files", "running", "succeeded"])
    validating: int = 1
    serves: tuple[str, ...] = (ASKED,)
    uploaded: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deleted: list[str] = field(default_factory=list[str])
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    made: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def unauthorized(self) -> Told:
        return Told({"detail": "Could not validate credentials"}, 401)

    def unknown(self, asked: Asked) -> Told:
        return Told({"detail": "Not Found"}, 404)

    def upload(self, asked: Asked) -> Told:
        name, content = asked.form["file"]
        file = {
            "id": f"file-019b0be3-b432-7392-8f07-{len(self.uploaded):012x}", "bytes": len(content), "object": "file",
            "created_at": BEGAN_S - 5, "filename": name, "purpose": asked.form["purpose"][1].decode(),
        }  # fmt: skip
        self.uploaded.append(file)
        return Told(file)

    def files(self, asked: Asked) -> Told:
        return Told({"data": self.uploaded, "object": "list", "has_more": False})

    def file(self, asked: Asked, file: str) -> Told:
        found = [one for one in self.uploaded if one["id"] == file]
        return Told(found[0]) if found else self.unknown(asked)

    def forget_file(self, asked: Asked, file: str) -> Told:
        self.deleted.append(file)
        return Told({"id": file, "object": "file", "deleted": True})

    def create(self, asked: Asked) -> Told:
        body, said = asked.body, asked.body.get("hyperparameters", {})
        if "method" in body and "hyperparameters" in body:
            return invalid("Only one of 'method' or 'hyperparameters' must be provided", "body")
        for name in set(body) - ARGUMENTS:
            return invalid("extra fields not permitted", "body", name)
        for name, value in said.items():
            if not isinstance(value, SETTINGS.get(name, ())):
                return invalid("value is not of the right type", "body", "hyperparameters", name)
        job = f"ftjob-{len(self.jobs) + 1:032x}"
        self.jobs[job] = {
            "id": job, "created_at": BEGAN_S + len(self.jobs), "error": None, "finished_at": None,
            "hyperparameters": DEFAULTS | said, "integrations": [], "model": body["model"], "object": "fine_tuning.job",
            "organization_id": "", "result_files": [], "seed": body["seed"], "suffix": body["suffix"],
            "status": "validating_files", "trained_tokens": None, "training_file": body["training_file"],
            "validation_file": body.get("validation_file"), "estimated_finish": None, "trained_steps": None,
            "total_steps": None,
        }  # fmt: skip
        return Told(self.jobs[job])

    def jobs_list(self, asked: Asked) -> Told:
        # the reference has no `after` here, and says that there may be more
        return Told({"object": "list", "data": list(self.jobs.values())[::-1], "has_more": True})

    def job(self, asked: Asked, job: str) -> Told:
        if job not in self.jobs:
            return self.unknown(asked)
        found = self.jobs[job]
        if self.statuses:
            found["status"] = self.statuses.pop(0)
        if found["status"] == "succeeded":
            weights = [file for number in range(len(LOSSES)) for file in _weights(number)]
            found |= {"trained_tokens": 480_000, "trained_steps": 75, "total_steps": 75, "result_files": weights}
        return Told(found)

    def cancel(self, asked: Asked, job: str) -> Told:
        self.statuses = []
        self.jobs[job]["status"] = "cancelled"
        return Told(self.jobs[job])

    def events(self, asked: Asked, job: str) -> Told:
        said = {0: "Job is submitted", 28: "Dataset 'validation' processed successfully",
                30: "Dataset 'training' processed successfully", 233: "Training completed successfully"}  # fmt: skip
        data = [
            {"id": f"ftevent_{at}", "created_at": BEGAN_S + at, "level": "info", "message": message, "type": "message",
             "data": None, "object": "fine_tuning.job.event"}
            for at, message in said.items()
        ]  # fmt: skip
        return Told({"object": "list", "data": data, "has_more": False})

    def checkpoints(self, asked: Asked, job: str) -> Told:
        data = [
            {"id": f"ftckpt_98a07a09-9fb7-4009-8e18-{number:012x}", "created_at": BEGAN_S + number,
             "fine_tuned_model_checkpoint": job, "fine_tuning_job_id": job, "step_number": 25 * (number + 1),
             "metrics": {"full_valid_loss": None, "full_valid_mean_token_accuracy": None, "step": 25 * (number + 1),
                         "train_loss": train, "train_mean_token_accuracy": 0.5, "valid_loss": valid,
                         "valid_mean_token_accuracy": 0.6},
             "object": "fine_tuning.job.checkpoint", "result_files": _weights(number)}
            for number, (train, valid) in enumerate(LOSSES)
        ]  # fmt: skip
        return Told({"object": "list", "data": data, "first_id": None, "last_id": None, "has_more": False})

    def custom(self, asked: Asked) -> Told:
        return Told(list(self.made.values()))

    def make(self, asked: Asked) -> Told:
        body = asked.body
        if body["base_model"] not in self.serves:
            return Told({"detail": f"Base model {body['base_model']} does not support LoRA adapters"}, 400)
        job, _, checkpoint = body["source"].partition(":")
        name = f"{body['base_model']}-LoRa:{body['name']}-JuNN"
        self.made[name] = {
            "type": "text2text", "name": name, "status": "validating", "status_reason": None,
            "checkpoint_id": checkpoint, "job_id": job, "file_id": None, "url": None, "created_at": BEGAN_S + 366,
            "description": None, "vendor": "meta", "size_b": 8.03,
        }  # fmt: skip
        answer = {"base_model": body["base_model"], "source": body["source"], "status": "validating"}
        return Told({"name": name, "created_at": BEGAN_S + 366, "description": None} | answer)

    def forget(self, asked: Asked, name: str) -> Told:
        return Told(self.made.pop(name)) if name in self.made else self.unknown(asked)

    def chat(self, asked: Asked) -> Told:
        model = asked.body["model"]
        self.validating -= 1
        if model not in self.made or self.validating >= 0:
            return Told({"detail": f"The model `{model}` does not exist."}, 404)
        self.made[model]["status"] = "active"
        message = {"content": "Hello", "refusal": None, "role": "assistant", "tool_calls": None, "audio": None}
        choice = {"finish_reason": "stop", "index": 0, "logprobs": None, "message": message, "stop_reason": None}
        usage = {"completion_tokens": 2, "prompt_tokens": 41, "total_tokens": 43, "prompt_tokens_details": None}
        body = {"id": "chatcmpl-649d3439e2094d8384ab2e941c408aff", "choices": [choice], "created": BEGAN_S + 378}
        return Told(body | {"model": model, "object": "chat.completion", "usage": usage})


def invalid(message: str, *where: str) -> Told:
    """Return an error as a body that does not fit is told (`HTTPValidationError`)."""
    return Told({"detail": [{"loc": list(where), "msg": message, "type": "value_error"}]}, 422)


def _weights(number: int) -> list[str]:
    return [f"file-weights-{number}-{name}" for name in ("adapter_model", "adapter_config")]
