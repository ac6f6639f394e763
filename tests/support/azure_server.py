"""Azure AI Foundry's `/openai/v1/`, in the shapes of its published description.

Objects and error codes are those of `azure-rest-api-specs`: the 2024-10-21 authoring API with its examples (a file is
"pending" before it is "processed", a job "pending" before it is "running", `n_epochs` -1 is "auto", lists of files have
no pages, events come oldest first) and `OpenAI.v1` (metadata is kept; a list is not filtered by it). The columns of the
result file, the name of a tuned model and its deployment by hand are from the guide (learn.microsoft.com/azure/foundry/
openai/how-to/fine-tuning), which names `trainingType`; that a create without it is refused, and that what is not known
is null, from github.com/BerriAI/litellm/pull/24687.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.support.recorded_server import Recorded
from tests.support.wire import Told

if TYPE_CHECKING:
    from tests.support.wire import Asked

V1: Final = "/openai/v1"
BASE: Final = "gpt-4.1-mini-2025-04-14"
BEGAN_S: Final = 1_763_700_000
RESULTS: Final = b"""step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,\
full_valid_loss,full_valid_mean_token_accuracy
1,2.1,0.4,2.2,0.41,,
2,1.4,0.6,1.6,0.58,1.62,0.57
3,0.9,0.7,1.3,0.66,,
4,0.6,0.8,1.2,0.69,1.21,0.7
"""
ARGUMENTS: Final = frozenset(
    {
        "model",
        "training_file",
        "suffix",
        "validation_file",
        "integrations",
        "seed",
        "method",
        "metadata",
        "trainingType",
    }
)
JOBS: Final = f"{V1}/fine_tuning/jobs"


@dataclass(slots=True)
class Azure(Recorded):
    """`unread`: how often a file is still pending when it is asked after. `statuses`: a job's, look by look."""

    routes: ClassVar[dict[str, str]] = {
        f"POST {V1}/files": "upload",
        f"GET {V1}/files": "files",
        f"GET {V1}/files/([^/]+)": "file",
        f"GET {V1}/files/([^/]+)/content": "content",
        f"POST {JOBS}": "create",
        f"GET {JOBS}": "jobs_list",
        f"GET {JOBS}/([^/]+)": "job",
        f"POST {JOBS}/([^/]+)/(cancel|pause|resume)": "steer",
        f"GET {JOBS}/([^/]+)/events": "events",
        f"GET {JOBS}/([^/]+)/checkpoints": "checkpoints",
        f"GET {V1}/models": "models",
        f"GET {V1}/models/([^/]+)": "model",
        f"DELETE {V1}/models/([^/]+)": "forget",
        f"POST {V1}/chat/completions": "chat",
    }
    unread: int = 2
    statuses: list[str] = field(default_factory=lambda: ["pending", "running", "succeeded"])
    uploaded: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    rows: dict[str, bytes] = field(default_factory=dict[str, bytes])
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    deployments: set[str] = field(default_factory=set[str])
    trained: dict[str, Any] = field(
        default_factory=lambda: {
            "status": "succeeded",
            "capabilities": {"fine_tune": True, "inference": True, "completion": False, "chat_completion": True,
                             "embeddings": False},
            "lifecycle_status": "generally-available",
            "deprecation": {"fine_tune": 4_102_444_800, "inference": 4_102_444_800},
            "id": BASE, "created_at": BEGAN_S, "object": "model",
        }
    )  # fmt: skip

    def unauthorized(self) -> Told:
        return refusal(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")

    def unknown(self, asked: Asked) -> Told:
        return refusal(404, "404", f"Resource not found: {asked.path}")

    def upload(self, asked: Asked) -> Told:
        name, content = asked.form["file"]
        file = f"file-{len(self.uploaded) + 1:032x}"
        self.rows[file] = content
        self.uploaded[file] = {
            "status": "pending", "purpose": "fine-tune", "filename": name, "id": file, "created_at": BEGAN_S,
            "object": "file", "looks": self.unread, "size": len(content),
        }  # fmt: skip
        return Told(_shown(self.uploaded[file]), 201)

    def files(self, asked: Asked) -> Told:
        return Told({"data": [_shown(one) for one in self.uploaded.values()], "object": "list"})

    def file(self, asked: Asked, file: str) -> Told:
        if file not in self.uploaded:
            return refusal(404, "notFound", "File not found.")
        found = self.uploaded[file]
        found["looks"] -= 1
        if found["status"] == "pending" and found["looks"] < 0:
            found |= {"status": "processed", "bytes": found["size"]}
        return Told(_shown(found))

    def content(self, asked: Asked, file: str) -> Told:
        return Told(RESULTS if file == "file-results" else self.rows[file])

    def create(self, asked: Asked) -> Told:
        body = asked.body
        if body.get("trainingType") not in {"Standard", "GlobalStandard", "Developer"}:
            return refusal(400, "invalidPayload", "The specified base model does not support fine-tuning.")
        if set(body) - ARGUMENTS:
            return refusal(400, "invalidPayload", f"Unknown arguments: {sorted(set(body) - ARGUMENTS)}")
        if self.uploaded[body["training_file"]]["status"] != "processed":
            return refusal(400, "invalidPayload", "The training file is not ready.")
        job = f"ftjob-{len(self.jobs) + 1:032x}"
        self.jobs[job] = {
            "hyperparameters": {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1},
            "status": "pending", "model": body["model"], "fine_tuned_model": None, "error": None, "finished_at": None,
            "training_file": body["training_file"], "validation_file": body.get("validation_file"), "id": job,
            "result_files": None, "organization_id": None, "trained_tokens": None, "estimated_finish": None,
            "created_at": BEGAN_S + len(self.jobs), "object": "fine_tuning.job", "seed": body["seed"],
            "user_provided_suffix": body["suffix"], "metadata": body.get("metadata"),
        }  # fmt: skip
        return Told(self.jobs[job], 201)

    def jobs_list(self, asked: Asked) -> Told:
        return Told({"has_more": False, "data": list(self.jobs.values())[::-1], "object": "list"})

    def job(self, asked: Asked, job: str) -> Told:
        if job not in self.jobs:
            return refusal(404, "notFound", "Job not found.")
        found = self.jobs[job]
        if self.statuses:
            found["status"] = self.statuses.pop(0)
        if found["status"] == "succeeded":
            found |= {
                "fine_tuned_model": f"{found['model']}.ft-{job.removeprefix('ftjob-')}", "trained_tokens": 2342,
                "result_files": ["file-results"], "finished_at": BEGAN_S + 1184,
            }  # fmt: skip
        return Told(found)

    def steer(self, asked: Asked, job: str, act: str) -> Told:
        found = self.jobs[job]
        if found["status"] in {"succeeded", "failed", "cancelled"}:
            return refusal(400, "unexpectedEntityState", "The job is in a terminal state.")
        found["status"] = {"cancel": "cancelled", "pause": "pausing", "resume": "resuming"}[act]
        return Told(found)

    def events(self, asked: Asked, job: str) -> Told:
        said = ["Job enqueued. Waiting for jobs ahead to complete.", "Job started.", "Job succeeded."]
        data = [
            {"id": f"ftevent-{number:032x}", "created_at": BEGAN_S + number * 60, "level": "info", "message": message,
             "type": "message", "object": "fine_tuning.job.event"}
            for number, message in enumerate(said)
        ]  # fmt: skip
        return Told({"has_more": False, "data": data, "object": "list"})

    def checkpoints(self, asked: Asked, job: str) -> Told:
        model = f"{BASE}.ft-{job.removeprefix('ftjob-')}"
        data = [
            {"id": f"ftchkpt-{step:032x}", "created_at": BEGAN_S + step, "step_number": step, "fine_tuning_job_id": job,
             "fine_tuned_model_checkpoint": f"{model}:ckpt-step-{step}",
             "metrics": {"step": step, "train_loss": 0.478, "train_mean_token_accuracy": 0.924},
             "object": "fine_tuning.job.checkpoint"}
            for step in (2, 4)
        ]  # fmt: skip
        return Told({"has_more": False, "data": data, "object": "list"})

    def models(self, asked: Asked) -> Told:
        return Told({"data": [self.trained], "object": "list"})

    def model(self, asked: Asked, model: str) -> Told:
        return Told(self.trained) if model == BASE else refusal(404, "notFound", "Model not found.")

    def forget(self, asked: Asked, model: str) -> Told:
        if model in self.deployments:
            return refusal(409, "conflict", "The model is deployed.")
        return Told({"id": model, "object": "model", "deleted": True})

    def chat(self, asked: Asked) -> Told:
        if asked.body["model"] not in self.deployments:
            return refusal(404, "DeploymentNotFound", "The API deployment for this resource does not exist.")
        message = {"role": "assistant", "content": "billing", "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "content_filter_results": {}}
        usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
        body = {"id": "c1", "object": "chat.completion", "created": BEGAN_S, "model": BASE, "choices": [choice]}
        return Told(body | {"usage": usage, "prompt_filter_results": []})


def refusal(status: int, code: str, message: str) -> Told:
    """Return an error as Azure words it (`AzureErrorResponse`)."""
    return Told({"error": {"code": code, "message": message}}, status)


def _shown(file: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in file.items() if name not in {"looks", "size"}}
