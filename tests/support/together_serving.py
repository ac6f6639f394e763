"""Models, hosting and answers of the server that stands in for Together: shapes of `endpoint`, `endpoint_deployment`,
`config`, `inference_instance_type`, `supported_model` and `chat_completion` of its SDK.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.support.together_wire import refusal
from tests.support.wire import Told

if TYPE_CHECKING:
    from tests.support.together_training import Training
    from tests.support.wire import Asked

PROJECT: Final = "proj_1"
SLUG: Final = "acme"
BASE: Final = "Qwen/Qwen3-8B"
CENTS: Final = {"1xnvidia-h100-80gb": 399, "1xnvidia-b200-180gb": 995}
NOW: Final = "2026-11-21T00:00:00Z"
SINGLE: Final = {"minReplicas": 1, "maxReplicas": 1}


class Serving:
    """`ready_after`: a deployment answers from its so manyeth look on. `reply`: what models say, by the prompt.

    `winds_down`: a deployment without replicas cannot be deleted at once.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.ready_after = 2
        self.late_lists = 0
        self.winds_down = False
        self.capacity = True
        self.reply = "yes"
        self.asked: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> Told | None:  # noqa: PLR0911 - a route each
        """Answer what is about models and hosting, None for everything else."""
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("GET", "v3", "whoami"):
                return Told(_whoami())
            case ("GET", "v2", "public", "inference-instance-types"):
                return Told({"object": "list", "data": [_instance(name, cents) for name, cents in CENTS.items()]})
            case ("GET", "v2", "supported-models"):
                return Told({"data": [_supported()], "next_cursor": None})
            case (method, "v2", "projects", "proj_1", "endpoints", *rest):
                return self._about_endpoints(method, rest, asked)
            case ("GET", "v2", "projects", "proj_1", "models"):
                return Told({"data": list(self._training.models.values()), "next_cursor": None})
            case ("DELETE", "v2", "projects", "proj_1", "models", model):
                return Told({}) if self._training.models.pop(model, None) else refusal(404, "Model not found")
            case ("GET", "v2", "projects", "proj_1", "configs"):
                fits = asked.query.get("reference_model_id", asked.query.get("referenceModelId")) == "ml_base"
                return Told({"data": [_config(name) for name in CENTS] if fits else [], "next_cursor": None})
            case ("POST", "v1", "chat", "completions") | ("POST", "v1", "completions"):
                return self._say(asked)
            case _:
                return None

    def paid(self) -> list[dict[str, Any]]:
        """Return the deployments that cost something now."""
        return [one for one in self.deployments.values() if one["autoscaling"]["maxReplicas"]]

    def _about_endpoints(self, method: str, rest: list[str], asked: Asked) -> Told:  # noqa: PLR0911 - a route each
        match (method, *rest):
            case ("GET",):
                return self._list()
            case ("POST",):
                return self._new_endpoint(asked.body["name"])
            case _:
                pass
        if rest[0] not in self.endpoints:
            return refusal(404, "Endpoint not found")
        match (method, *rest):
            case ("GET", endpoint):
                return Told(self._endpoint(endpoint))
            case ("DELETE", endpoint):
                return self._delete_endpoint(endpoint)
            case ("POST", endpoint, "deployments"):
                return self._deploy(endpoint, asked.body)
            case _:
                pass
        if len(rest) < 3 or rest[2] not in self.deployments:
            return refusal(404, "Deployment not found")
        return self._about_deployment(method, self.deployments[rest[2]], asked)

    def _list(self) -> Told:
        listed = list(self.endpoints)
        if self.late_lists and listed:
            self.late_lists -= 1
            listed = listed[:-1]
        return Told({"data": [self._endpoint(one) for one in listed], "next_cursor": None})

    def _new_endpoint(self, name: str) -> Told:
        if any(one["name"] == f"{SLUG}/{name}" for one in self.endpoints.values()):
            return refusal(409, "An endpoint of that name exists")
        made = f"ep_{uuid.uuid4().hex[:12]}"
        self.endpoints[made] = {
            "id": made,
            "name": f"{SLUG}/{name}",
            "projectId": PROJECT,
            "endpointType": "ENDPOINT_TYPE_DEDICATED",
            "etag": "1",
            "trafficSplit": [],
            "visibility": "VISIBILITY_PRIVATE",
            "createdAt": _now(),
            "updatedAt": _now(),
        }
        return Told(self._endpoint(made))

    def _endpoint(self, endpoint: str) -> dict[str, Any]:
        """An endpoint with short accounts of its deployments."""
        under = [one for one in self.deployments.values() if one["endpointId"] == endpoint]
        return self.endpoints[endpoint] | {
            "deployments": [
                {
                    **{name: one[name] for name in ("id", "autoscaling", "createdAt", "model", "modelId", "name")},
                    "estimatedEffectiveTrafficShare": 0.0,
                    "state": one["status"]["state"],
                    "trafficMode": one["trafficMode"],
                    "hardware": one["hardware"],
                }
                for one in under
            ]
        }

    def _delete_endpoint(self, endpoint: str) -> Told:
        if any(one["endpointId"] == endpoint for one in self.deployments.values()):
            return refusal(400, "Delete its deployments first")
        del self.endpoints[endpoint]
        return Told({})

    def _deploy(self, endpoint: str, body: dict[str, Any]) -> Told:
        if not self.capacity:
            return refusal(400, "No capacity for this hardware", "insufficient_capacity")
        timeout = body.get("inactiveTimeout", 0)
        if timeout and not 30 <= timeout <= 1440:
            return refusal(400, "inactiveTimeout must be 0 or from 30 to 1440")
        made = f"dep_{uuid.uuid4().hex[:12]}"
        model = body["model"].split("/")[3]
        self.deployments[made] = {
            "id": made,
            "endpointId": endpoint,
            "name": f"{self.endpoints[endpoint]['name']}/{body['name']}",
            "projectId": PROJECT,
            "autoscaling": body["autoscaling"],
            "config": body["config"],
            "configId": body["config"].split("/")[3],
            "model": f"{body['model']}/revisions/rv_1",
            "modelId": model,
            "modelRevisionId": "rv_1",
            "hardware": body["config"].split("/")[3].removeprefix("cr_"),
            "inactiveTimeout": timeout,
            "trafficMode": "TRAFFIC_MODE_LIVE",
            "etag": "1",
            "createdAt": _now(),
            "updatedAt": _now(),
            "status": {"state": "DEPLOYMENT_STATE_PROVISIONING", "message": "", "readyReplicas": 0},
            "looks": 0,
        }
        return Told(self.deployments[made])

    def _about_deployment(self, method: str, one: dict[str, Any], asked: Asked) -> Told:
        if method == "PATCH":
            one["autoscaling"] = one["autoscaling"] | asked.body.get("autoscaling", {})
            if not one["autoscaling"]["maxReplicas"]:
                state = "DEPLOYMENT_STATE_STOPPING" if self.winds_down else "DEPLOYMENT_STATE_STOPPED"
                one["status"] = {"state": state, "message": "", "readyReplicas": 0}
        if method == "DELETE":
            if one["status"]["state"] != "DEPLOYMENT_STATE_STOPPED":
                return refusal(400, "Scale the deployment down first")
            del self.deployments[one["id"]]
            return Told({})
        if method == "GET":
            one["looks"] += 1
            if one["status"]["state"] == "DEPLOYMENT_STATE_PROVISIONING" and one["looks"] >= self.ready_after:
                one["status"] = {"state": "DEPLOYMENT_STATE_READY", "message": "", "readyReplicas": 1}
        return Told(one)

    def fall_idle(self) -> None:
        """Stop what runs, as the provider does by itself after `inactiveTimeout`."""
        for one in self.paid():
            one["autoscaling"] = {"minReplicas": 0, "maxReplicas": 0}
            one["status"] = {"state": "DEPLOYMENT_STATE_STOPPED", "message": "", "readyReplicas": 0}

    def _say(self, asked: Asked) -> Told:
        body = asked.body
        self.asked.append(body)
        hosted = [one for one in self.deployments.values() if one["name"] == body["model"]]
        if body["model"] != BASE and not hosted:
            return refusal(404, f"Unable to access model {body['model']}", "model_not_available")
        if hosted and hosted[0]["status"]["state"] != "DEPLOYMENT_STATE_READY":
            return refusal(503, "The deployment has no ready replica")
        logprobs = None
        if body.get("logprobs"):
            logprobs = {
                "tokens": [self.reply],
                "token_logprobs": [-0.1],
                "top_logprobs": {self.reply: -0.1, "no": -2.4},
            }
        is_chat = "messages" in body
        said = {"message": {"role": "assistant", "content": self.reply}} if is_chat else {"text": self.reply}
        return Told(
            {
                "id": "o-1",
                "object": "chat.completion" if is_chat else "text.completion",
                "created": 1,
                "model": body["model"],
                "prompt": [],
                "choices": [{**said, "index": 0, "finish_reason": "eos", "logprobs": logprobs}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8},
            }
        )


def _whoami() -> dict[str, Any]:
    return {
        "type": "project_api_key",
        "api_key": {"id": "key_1"},
        "organization": {"id": "org_1", "name": "Acme", "slug": "acme-org"},
        "project": {"id": PROJECT, "name": "Acme", "slug": SLUG},
    }


def _instance(name: str, cents: int) -> dict[str, Any]:
    return {
        "id": f"it_{name}",
        "name": name,
        "description": name,
        "gpuCount": 1,
        "gpuMemoryGib": 80,
        "gpuType": name.split("x", 1)[1],
        "priceCentsPerHour": cents,
        "regions": [],
    }


def _config(name: str) -> dict[str, Any]:
    count, kind = name.split("x", 1)
    return {
        "id": f"cr_{name}",
        "projectId": "proj_public",
        "referenceModel": "projects/proj_public/models/ml_base",
        "referenceModelId": "ml_base",
        "certifications": [],
        "selectors": [{"key": "accelerator_type", "value": kind}, {"key": "accelerator_count", "value": count}],
    }


def _supported() -> dict[str, Any]:
    profile = {
        "certifiedConfigRevisionId": "cr_1xnvidia-h100-80gb",
        "certifiedModelRevisionId": "rv_1",
        "config": "projects/proj_public/configs/cr_1xnvidia-h100-80gb",
        "gpuCount": 1,
        "gpuType": "h100-80gb",
        "model": "projects/proj_public/models/ml_base",
        "modelName": BASE,
        "parallelism": "TP1",
        "performanceBenchmarks": {},
        "profileId": "cr_1xnvidia-h100-80gb",
        "quantization": "",
    }
    return {
        "id": "sm_1",
        "name": BASE,
        "displayName": "Qwen3 8B",
        "displayType": "chat",
        "baseModel": "projects/proj_public/models/ml_base",
        "baseModelId": "ml_base",
        "capabilities": ["CAPABILITY_CHAT"],
        "createdAt": NOW,
        "updatedAt": NOW,
        "deploymentProfiles": [profile],
        "inputModalities": ["MODALITY_TEXT"],
        "outputModalities": ["MODALITY_TEXT"],
        "products": ["PRODUCT_DEDICATED", "PRODUCT_FINE_TUNING"],
        "publisher": "Qwen",
        "status": "SUPPORTED_MODEL_STATUS_SUPPORTED",
    }


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
