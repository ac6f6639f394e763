"""Dedicated hosting at Together, by the current API (`/v2/projects/…`; the older `/v1/endpoints` ends with 2026).

An *endpoint* there is a name that costs nothing; a *deployment* under it is a model on GPUs, paid by the minute for
every replica that runs (docs.together.ai/docs/dedicated-endpoints). So the endpoint bears the intent's tag, and the
one POST that costs money makes the deployment. How a model's hardware and price are found is the order of the SDK's own
`lib/cli/api/endpoints/deploy.py`: the project's model by name, the configurations of its base, the instance type that
a configuration names by its selectors, whose price is in US cents an hour.
"""

from __future__ import annotations

import contextlib
import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workers.intent_tags import tag_of
from workers.provider import ErrorKind, Host, HostStatus, ProviderError
from workers.together_errors import nothing_paid_yet, plain_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import together
    from together.types import DeploymentAutoscalingParam, Endpoint, EndpointDeployment, Model

    from workers.together_registry import Registry

IDLE_MINUTES: Final = (30, 1440)
"""What the provider's own timeout may be; who wants to stop sooner must say so by `stop`."""
ONE_REPLICA: Final[DeploymentAutoscalingParam] = {"min_replicas": 1, "max_replicas": 1}
NO_REPLICA: Final[DeploymentAutoscalingParam] = {"min_replicas": 0, "max_replicas": 0}

STATES: Final = {
    "DEPLOYMENT_STATE_PROVISIONING": HostStatus.STARTING,
    "DEPLOYMENT_STATE_READY": HostStatus.ANSWERING,
    "DEPLOYMENT_STATE_SCALING": HostStatus.STARTING,
    "DEPLOYMENT_STATE_DEGRADED": HostStatus.STARTING,
    "DEPLOYMENT_STATE_FAILED": HostStatus.FAILED,
    "DEPLOYMENT_STATE_STOPPING": HostStatus.STOPPED,
    "DEPLOYMENT_STATE_STOPPED": HostStatus.STOPPED,
}
"""STOPPING is as good as stopped: it takes no questions, and nothing but a new order starts it again."""
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Place:
    """What a model can be hosted on: the provider's configuration, and what an hour of it costs."""

    config: str
    usd_per_hour: float | None


class DedicatedHosting:
    """Hosts of tuned models. A host's id is "ENDPOINT/DEPLOYMENT"; it is asked by the deployment's own name."""

    def __init__(
        self, client: Callable[[], together.Together], registry: Registry, *, deploy_deadline_s: float
    ) -> None:
        self._made = client
        self._registry = registry
        self._deadline_s = deploy_deadline_s

    def usd_per_hour(self, model: str) -> float | None:
        """Return the price of the cheapest place for a model, tuned or base; None where there is none."""
        with plain_words():
            tuned = self._registry.tuned(model)
            places = self._places_of(tuned) if tuned else self._places_of_base(model)
        return places[0].usd_per_hour if places else None

    def find(self, intent: str) -> Host | None:
        """Look a host up by the intent's tag in its endpoint's name."""
        with plain_words():
            endpoint = self._endpoint(intent)
            if endpoint is None or not endpoint.deployments:
                return None
            return self._as_host(self._deployment(endpoint.id, endpoint.deployments[0].id))

    def deploy(self, model: str, intent: str, *, idle_s: float) -> Host:
        """Begin to host a model on one replica of the cheapest place that takes it."""
        with nothing_paid_yet(), plain_words():
            tuned = self._registry.tuned(model)
            places = self._places_of(tuned) if tuned else []
            if tuned is None or not places:
                raise _no_place(model)
            endpoint = self._endpoint(intent) or self._new_endpoint(intent)
        low, high = IDLE_MINUTES
        try:
            with plain_words():
                made = self._client.with_options(max_retries=0).endpoints.deployments.create(
                    endpoint.id,
                    project_id=self._project,
                    name=_name(intent),
                    model=f"projects/{tuned.project_id}/models/{tuned.id}",
                    config=places[0].config,
                    autoscaling=ONE_REPLICA,
                    inactive_timeout=max(low, min(high, math.ceil(idle_s / 60))),
                    timeout=self._deadline_s,
                )
        except ProviderError as error:
            if error.is_final:  # no deployment was made: the empty endpoint is no use
                self._forget(endpoint.id)
            raise
        return self._as_host(made)

    def host(self, host: str) -> Host:
        """Return a host as it is now."""
        endpoint, deployment = _parts(host)
        if not (endpoint and deployment):  # a person may have named it
            return Host(id=host, status=HostStatus.STOPPED, said=GONE, model="")
        try:
            with plain_words():
                return self._as_host(self._deployment(endpoint, deployment))
        except ProviderError as error:
            if error.kind is ErrorKind.MISSING:
                return Host(id=host, status=HostStatus.STOPPED, said=GONE, model="")
            raise

    def stop(self, host: str) -> Host:
        """Take a host's replicas away, which ends what is paid, and delete it as far as the provider lets one."""
        now = self.host(host)
        if now.said == GONE:
            return now
        refusal = self._scale_down(host)
        try:
            self._delete(host)
        except ProviderError as error:
            # a deployment that still winds down cannot be deleted yet: without replicas it costs nothing
            if refusal is not None:
                raise refusal from error
        return Host(id=host, status=HostStatus.STOPPED, said=now.said, model=now.model)

    def _scale_down(self, host: str) -> ProviderError | None:
        """Take the replicas away; return why the provider would not, as of a deployment that never had any."""
        endpoint, deployment = _parts(host)
        try:
            with plain_words():
                self._client.endpoints.deployments.update(
                    deployment,
                    endpoint_id=endpoint,
                    project_id=self._project,
                    autoscaling=NO_REPLICA,
                    update_mask="autoscaling",
                )
        except ProviderError as error:
            if not error.is_final:
                raise
            return error
        return None

    def _delete(self, host: str) -> None:
        endpoint, deployment = _parts(host)
        with plain_words():
            self._client.endpoints.deployments.delete(deployment, endpoint_id=endpoint, project_id=self._project)
        self._forget(endpoint)

    @property
    def _client(self) -> together.Together:
        return self._made()

    @property
    def _project(self) -> str:
        return self._registry.project

    @functools.cached_property
    def _prices(self) -> Mapping[str, float]:
        """US dollars an hour by instance type, with and without the maker's name."""
        listed = self._client.endpoints.hardware.list().data
        return {_plain(one.name): one.price_cents_per_hour / 100 for one in listed}

    def _places_of(self, model: Model) -> list[Place]:
        configs = self._client.models.configs.list(
            project_id=self._project, reference_model_id=model.base_model_id or model.id
        )
        places: list[Place] = []
        for config in configs:
            told = {selector.key: selector.value for selector in config.selectors}
            hardware = f"{told.get('accelerator_count', '')}x{told.get('accelerator_type', '')}"
            places.append(Place(f"projects/{config.project_id}/configs/{config.id}", self._price(hardware)))
        return _cheapest_first(places)

    def _places_of_base(self, name: str) -> list[Place]:
        listed = self._client.models.list_supported(search=name)
        profiles = (profile for model in listed if model.name == name for profile in model.deployment_profiles)
        return _cheapest_first(
            [Place(one.config, self._price(f"{one.gpu_count}x{one.gpu_type}")) for one in profiles if one.config]
        )

    def _price(self, hardware: str) -> float | None:
        return self._prices.get(_plain(hardware))

    def _endpoint(self, intent: str) -> Endpoint | None:
        listed = self._client.endpoints.list(project_id=self._project)
        return next((one for one in listed if one.name.rsplit("/", 1)[-1] == _name(intent)), None)

    def _new_endpoint(self, intent: str) -> Endpoint:
        return self._client.endpoints.create(project_id=self._project, name=_name(intent))

    def _deployment(self, endpoint: str, deployment: str) -> EndpointDeployment:
        return self._client.endpoints.deployments.retrieve(deployment, endpoint_id=endpoint, project_id=self._project)

    def _forget(self, endpoint: str) -> None:
        with contextlib.suppress(ProviderError), plain_words():
            self._client.endpoints.delete(endpoint, project_id=self._project)

    def _as_host(self, told: EndpointDeployment) -> Host:
        status = STATES.get(told.status.state, HostStatus.STARTING)
        # while it grows, or limps, it answers as soon as one replica does
        if status is HostStatus.STARTING and told.status.ready_replicas:
            status = HostStatus.ANSWERING
        return Host(
            id=f"{told.endpoint_id}/{told.id}",
            status=status,
            said=told.status.state,
            model=told.name,
            usd_per_hour=self._price(told.hardware),
        )


def _name(intent: str) -> str:
    return f"tuneroom-{tag_of(intent)}"


def _parts(host: str) -> tuple[str, str]:
    endpoint, _, deployment = host.partition("/")
    return endpoint, deployment


def _plain(hardware: str) -> str:
    """Instance types are named with the maker ("1xnvidia-h100-80gb") or without it."""
    return hardware.lower().replace("nvidia-", "")


def _cheapest_first(places: list[Place]) -> list[Place]:
    return sorted(places, key=lambda place: math.inf if place.usd_per_hour is None else place.usd_per_hour)


def _no_place(model: str) -> ProviderError:
    return ProviderError(
        ErrorKind.REFUSED,
        "not-hostable",
        f"The provider has no hosting for {model}.",
        "Train another base model, or download this one at the provider.",
    )
