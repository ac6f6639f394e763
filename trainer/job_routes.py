"""/v1/fine_tuning/jobs: create, list, retrieve, cancel, pause, resume, events, checkpoints."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer.disk import read_json
from trainer.identifiers import new_id
from trainer.jobs import BASE_MODEL, Job, JobStore, new_model_name, step_of
from trainer.paging import page
from trainer.refusals import Refusal, unknown_model, unsupported
from trainer.requests import Hyperparameters, JobRequest, read_body, read_limit

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from trainer.file_store import FileStore
    from trainer.model_shelf import ModelShelf


async def create_job(request: Request) -> Response:
    asked = await read_body(request, JobRequest)
    refuse_what_is_not_here(asked, request.app.state.models)
    files: FileStore = request.app.state.files
    training = training_path(files, asked.training_file, "training_file")
    validation = training_path(files, asked.validation_file, "validation_file") if asked.validation_file else None
    base = base_home(asked.model, request.app.state.models)
    job = Job(
        id=new_id("ftjob-"),
        created_at=time.time(),
        model_name=new_model_name(asked.suffix),
        suffix=asked.suffix,
        training_file=asked.training_file,
        validation_file=asked.validation_file,
        seed=secrets.randbelow(2**31) if asked.seed is None else asked.seed,
        metadata=asked.metadata or {},
        hyperparameters=asked_hyperparameters(asked).model_dump(),
        method=asked.method.type if asked.method else "supervised",
        base=asked.model,
    )
    request.app.state.jobs.add(job, training, validation, base)
    request.app.state.runner.submit(job)
    return JSONResponse(job.public(None))


def refuse_what_is_not_here(asked: JobRequest, models: ModelShelf) -> None:
    """Raises Refusal for a model, a method or an integration that this trainer does not have."""
    if not models.exists(asked.model):
        raise unknown_model(asked.model)
    if asked.method and asked.method.type == "reinforcement":
        said = "This trainer has no graders, so it does not train with the reinforcement method."
        raise unsupported("method.type", said)
    if asked.integrations:
        raise unsupported("integrations", "This trainer sends nothing to other services: leave out 'integrations'.")


def base_home(model: str, models: ModelShelf) -> Path | None:
    """Where the model lies that training goes on from; None for the base, which knows nothing."""
    return None if model == BASE_MODEL else models.home(model)


def asked_hyperparameters(asked: JobRequest) -> Hyperparameters:
    """From `method`, or else from the deprecated place."""
    if asked.method:
        return (asked.method.dpo if asked.method.type == "dpo" else asked.method.supervised).hyperparameters
    return asked.hyperparameters or Hyperparameters()


def training_path(files: FileStore, file_id: str, param: str) -> Path:
    """Where a job's file lies. Raises Refusal."""
    record = files.get(file_id, status=400, param=param)
    if record.purpose != "fine-tune":
        raise Refusal(400, f"The file given as '{param}' does not have the purpose 'fine-tune'.", param=param)
    return files.path(file_id)


def shown(request: Request, job: Job) -> dict[str, Any]:
    jobs: JobStore = request.app.state.jobs
    return job.public(jobs.journal(job.id).estimated_finish() if job.status == "running" else None)


def wanted_job(request: Request) -> Job:
    jobs: JobStore = request.app.state.jobs
    return jobs.get(request.path_params["job_id"])


def has_metadata(request: Request, job: Job) -> bool:
    """Whether a job has every `metadata[k]=v` of the query; `metadata=null` asks for jobs that have none."""
    query = request.query_params
    if query.get("metadata") == "null" and job.metadata:
        return False
    pairs = [(key[9:-1], value) for key, value in query.multi_items() if key[:9] == "metadata[" and key[-1] == "]"]
    return all(job.metadata.get(key) == value for key, value in pairs)


async def list_jobs(request: Request) -> Response:
    jobs: JobStore = request.app.state.jobs
    newest = time.time() - request.app.state.switches.list_lag_s
    found = [
        shown(request, job) for job in reversed(jobs.all()) if job.created_at <= newest and has_metadata(request, job)
    ]
    return JSONResponse(page(found, request.query_params.get("after"), read_limit(request, 20, 100)))


async def retrieve_job(request: Request) -> Response:
    return JSONResponse(shown(request, wanted_job(request)))


async def cancel_job(request: Request) -> Response:
    job = wanted_job(request)
    if job.ended:
        said = f"Job has already {job.status}." if job.status != "cancelled" else "Job has already been cancelled."
        raise Refusal(400, said, code="invalid_state", param="id")
    return JSONResponse(shown(request, await request.app.state.runner.cancel(job)))


async def pause_job(request: Request) -> Response:
    job = wanted_job(request)
    if job.status not in ("queued", "running"):
        said = f"Only a queued or running job can be paused, and this one is {job.status}."
        raise Refusal(400, said, code="invalid_state", param="id")
    return JSONResponse(shown(request, request.app.state.runner.pause(job)))


async def resume_job(request: Request) -> Response:
    job = wanted_job(request)
    if job.status != "paused":
        said = f"Only a paused job can be resumed, and this one is {job.status}."
        raise Refusal(400, said, code="invalid_state", param="id")
    return JSONResponse(shown(request, request.app.state.runner.resume(job)))


async def list_events(request: Request) -> Response:
    jobs: JobStore = request.app.state.jobs
    journal, after = jobs.journal(wanted_job(request).id), request.query_params.get("after")
    place = journal.place(after) if after else len(journal.events)
    if place is None:
        raise Refusal(404, "No event with the id given as 'after' was found.", param="after")
    start = max(0, place - read_limit(request, 20, 1000))
    newest_first = [
        {**event, "created_at": int(event["created_at"])} for event in reversed(journal.events[start:place])
    ]
    return JSONResponse({"object": "list", "data": newest_first, "has_more": start > 0})


async def list_checkpoints(request: Request) -> Response:
    jobs: JobStore = request.app.state.jobs
    job = wanted_job(request)
    found = [describe_checkpoint(job, home) for home in jobs.checkpoint_homes(job.id)]
    return JSONResponse(page(found, request.query_params.get("after"), read_limit(request, 10, 100)))


def describe_checkpoint(job: Job, home: Path) -> dict[str, Any]:
    saved = read_json(home / "checkpoint.json")
    digest = hashlib.sha256(f"{job.id}/{saved['step']}".encode()).hexdigest()
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt_{digest[:24]}",
        "created_at": saved["created_at"],
        "fine_tuned_model_checkpoint": f"{job.model_name}:ckpt-step-{step_of(home)}",
        "fine_tuning_job_id": job.id,
        "metrics": saved["metrics"],
        "step_number": saved["step"],
    }


ROUTES = [
    Route("/fine_tuning/jobs", create_job, methods=["POST"]),
    Route("/fine_tuning/jobs", list_jobs, methods=["GET"]),
    Route("/fine_tuning/jobs/{job_id}", retrieve_job, methods=["GET"]),
    Route("/fine_tuning/jobs/{job_id}/cancel", cancel_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{job_id}/pause", pause_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{job_id}/resume", resume_job, methods=["POST"]),
    Route("/fine_tuning/jobs/{job_id}/events", list_events, methods=["GET"]),
    Route("/fine_tuning/jobs/{job_id}/checkpoints", list_checkpoints, methods=["GET"]),
]
