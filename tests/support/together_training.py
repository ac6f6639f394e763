"""Runs of the server that stands in for Together: shapes of `finetune_response`, `finetune_event` and others."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.support.together_files import Files
from tests.support.together_wire import refusal
from tests.support.wire import Told

if TYPE_CHECKING:
    from tests.support.wire import Asked

STEPS_PER_EPOCH: Final = 4
NANODOLLARS: Final = 1_000_000_000
AFTER_TRAINING: Final = ("compressing", "uploading", "completed")


class Training(Files):
    """Files and runs, and the switches for them.

    `trains`: which models. `late_lists`: so many looks at the list do not show the newest run yet. `tokens_per_byte`
    and `usd_per_million` make the price; `allowed`: whether the account could pay it. `fails_with`: why runs fail.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, list[tuple[datetime, dict[str, float]]]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.bodies: list[dict[str, Any]] = []
        self.trains = {"Qwen/Qwen3-8B"}
        self.late_lists = 0
        self.allowed = True
        self.steps_per_look = 2
        self.tokens_per_byte = 0.25
        self.usd_per_million = 0.5
        self.fails_with = ""

    def answer(self, asked: Asked) -> Told | None:
        """Answer what is about files and runs, None for everything else."""
        match (asked.method, *asked.path.strip("/").split("/")):
            case (method, "v1", "fine-tunes", *rest):
                return self._about_runs(method, rest, asked)
            case _:
                return super().answer(asked)

    def _about_runs(self, method: str, rest: list[str], asked: Asked) -> Told:
        match (method, *rest):
            case ("GET",):
                return self._list()
            case ("POST",):
                return self._create(asked.body)
            case ("GET", "models", "limits"):
                return self._limits(asked.query["model_name"])
            case ("POST", "estimate-price"):
                return self._estimate(asked.body)
            case _:
                pass
        if rest[0] not in self.runs:
            return refusal(404, "Fine-tune job not found")
        return self._about_run(method, rest, asked)

    def _about_run(self, method: str, rest: list[str], asked: Asked) -> Told:
        run = self.runs[rest[0]]
        match (method, *rest[1:]):
            case ("GET",):
                return Told(self._look(run))
            case ("GET", "events"):
                return Told({"data": run["events"]})
            case ("GET", "metrics"):
                return Told({"metrics": self._figures(run["id"], asked.query.get("logged_at_from"))})
            case ("GET", "checkpoints"):
                return Told({"data": _checkpoints(run)})
            case ("POST", "cancel"):
                return self._cancel(run)
            case _:
                return refusal(404, "No such thing")

    def _limits(self, name: str) -> Told:
        """Return some of `finetune_model_limits`, for models and for runs to go on from."""
        if name not in self.trains and name not in self.runs:
            return refusal(404, f"Model {name} is not supported for fine-tuning")
        batches = {"min_batch_size": 8, "max_batch_size": 32, "max_batch_size_dpo": 16}
        return Told(
            {
                "model_name": name,
                "max_num_epochs": 20,
                "max_num_evals": 100,
                "max_num_checkpoints": 20,
                "min_learning_rate": 1e-8,
                "max_learning_rate": 0.01,
                "max_seq_length_sft": 40960,
                "max_seq_length_dpo": 20480,
                "min_max_seq_length": 512,
                "lora_training": {**batches, "default_rank": 64, "max_rank": 64, "target_modules": ["q", "k", "v"]},
                "merge_output_lora": True,
            }
        )

    def _list(self) -> Told:
        listed = list(self.runs.values())
        if self.late_lists and listed:
            self.late_lists -= 1
            listed = listed[:-1]
        hidden = {"events", "model_object_name", "adapter_object_name"}
        return Told({"data": [{name: run[name] for name in run if name not in hidden} for run in listed]})

    def _create(self, body: dict[str, Any]) -> Told:
        for name in ("training_file", "n_epochs", "learning_rate"):
            if name not in body:
                return refusal(400, f"{name} is required")
        if ("model" in body) == ("from_checkpoint" in body):
            return refusal(400, "You must specify either a model or a checkpoint")
        if len(body.get("suffix", "")) > 40:
            return refusal(400, "suffix must be at most 40 characters")
        self.bodies.append(body)
        made = f"ft-{uuid.uuid4()}"
        base = body.get("model") or self.runs[body["from_checkpoint"].split(":")[0]]["model"]
        run = {
            **{name: body.get(name) for name in ("training_file", "validation_file", "suffix", "n_epochs", "n_evals")},
            "id": made,
            "status": "pending",
            "user_id": "user-1",
            "model": base,
            "learning_rate": body["learning_rate"],
            "batch_size": body["batch_size"],
            "model_output_name": f"acme/{base.split('/')[-1]}-{body.get('suffix')}-{made[3:11]}",
            "created_at": self._said(),
            "updated_at": self._said(),
            "total_price": round(self._price(body) * NANODOLLARS),
            "token_count": self._tokens(body),
            "events": [],
        }
        self.runs[made] = run
        self.rows[made] = []
        self._tell(run, "job_pending", "Fine tune request created")
        return Told({name: value for name, value in run.items() if name != "events"})

    def _estimate(self, body: dict[str, Any]) -> Told:
        if self.invalid:
            return Told({"estimation_available": False, "unavailable_reason": "train_file_invalid"})
        if self.files[body["training_file"]]["processing_status"] != "COMPLETED":
            return Told({"estimation_available": False, "unavailable_reason": "train_file_not_validated"})
        return Told(
            {
                "estimation_available": True,
                "estimated_total_price": self._price(body),
                "allowed_to_proceed": self.allowed,
                "estimated_train_token_count": self._tokens(body),
                "estimated_eval_token_count": 0,
                "user_limit": 100.0,
            }
        )

    def _tokens(self, body: dict[str, Any]) -> int:
        """Every pass over the rows counts, and every evaluation (docs.together.ai/docs/fine-tuning/pricing)."""
        train = len(self.contents.get(body["training_file"], b"")) * body["n_epochs"]
        valid = len(self.contents.get(body.get("validation_file") or "", b"")) * (body.get("n_evals") or 0)
        return round((train + valid) * self.tokens_per_byte)

    def _price(self, body: dict[str, Any]) -> float:
        return self._tokens(body) * self.usd_per_million / 1_000_000

    def _look(self, run: dict[str, Any]) -> dict[str, Any]:
        """Move a run on by one step, and tell of it."""
        match run["status"]:
            case "pending":
                run["status"] = "queued"
            case "queued":
                run["status"] = "running"
                total = run["n_epochs"] * STEPS_PER_EPOCH
                self._tell(run, "training_start", "Training started", total_steps=total)
            case "running" if self.fails_with:
                run["status"] = "error"
                self._tell(run, "job_error", self.fails_with, level="error")
            case "running":
                self._train(run)
            case "compressing" | "uploading":
                run["status"] = AFTER_TRAINING[AFTER_TRAINING.index(run["status"]) + 1]
                if run["status"] == "completed":
                    self._finish(run)
            case "cancel_requested":
                run["status"] = "cancelled"
                self._tell(run, "job_stopped", "Job stopped")
            case _:
                pass
        run["updated_at"] = self._said()
        return run

    def _train(self, run: dict[str, Any]) -> None:
        rows, total = self.rows[run["id"]], run["n_epochs"] * STEPS_PER_EPOCH
        done = sum("train/loss" in row for _, row in rows)
        for step in range(done + 1, min(total, done + self.steps_per_look) + 1):
            loss = round(2.0 * 0.9**step, 6)
            at = self.now()
            rows.append((at, {"train/loss": loss, "train/learning_rate": 1e-5, "train/global_step": step}))
            if step % STEPS_PER_EPOCH == 0:
                self._tell(run, "epoch_complete", f"Epoch {step // STEPS_PER_EPOCH} completed", step=step)
                self._tell(
                    run, "checkpoint_save", "Checkpoint saved", step=step, checkpoint_path=f"s3://{run['id']}/{step}"
                )
                if run["validation_file"]:
                    rows.append((at, {"eval/loss": loss + 0.1, "train/global_step": step}))
            if step == total:
                run["status"] = "compressing"
                self._tell(run, "training_complete", "Training completed")

    def _finish(self, run: dict[str, Any]) -> None:
        run["model_object_name"] = run["model_output_name"]
        self.add_model(run["model_output_name"])
        self._tell(run, "job_complete", "Job completed")

    def add_model(self, name: str) -> None:
        """Put a tuned model into the project's registry."""
        model = f"ml_{uuid.uuid4().hex[:12]}"
        self.models[model] = {
            "id": model,
            "name": name,
            "organizationId": "org_1",
            "projectId": "proj_1",
            "visibility": "VISIBILITY_PRIVATE",
            "weights": {"type": "WEIGHTS_TYPE_DEFAULT"},
            "baseModel": "projects/proj_public/models/ml_base",
            "baseModelId": "ml_base",
        }

    def _cancel(self, run: dict[str, Any]) -> Told:
        if run["status"] in {"completed", "error", "cancelled"}:
            return refusal(400, f"Job is {run['status']}")
        run["status"] = "cancel_requested"
        self._tell(run, "cancel_requested", "Cancel requested")
        return Told({name: value for name, value in run.items() if name != "events"})

    def _tell(self, run: dict[str, Any], kind: str, message: str, *, level: str = "info", **more: Any) -> None:
        event = {"object": "fine-tune-event", "created_at": self._said(), "level": level, "message": message}
        run["events"].append(event | {"type": kind} | more)

    def _said(self) -> str:
        return self.now().isoformat().replace("+00:00", "Z")

    def _figures(self, run: str, since: str | None) -> list[dict[str, float]]:
        begin = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        return [row for at, row in self.rows[run] if at >= begin]


def _checkpoints(run: dict[str, Any]) -> list[dict[str, Any]]:
    saved = [event for event in run["events"] if event["type"] == "checkpoint_save"]
    return [
        {
            "step": event["step"],
            "path": event["checkpoint_path"],
            "created_at": event["created_at"],
            "checkpoint_type": "Final" if number == len(saved) else "Intermediate",
        }
        for number, event in enumerate(saved, 1)
    ]
