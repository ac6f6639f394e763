"""Hosting at Together by the real SDK: quoted, ordered once, found again, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from finetune.contract import PromptContract
from tests.support.together_server import DEPLOY, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.together_wire import refusal
from workers.endpoint import Endpoint
from workers.provider import ErrorKind, HostStatus, ProviderError, Question
from workers.together_protocol import Together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.provider import Host

INTENT = "0123456789abcdef01234567-1763700000000-0"
MODEL = "acme/Qwen3-8B-support-bot-1a2b3c4d"


@pytest.fixture
def server() -> Iterator[TogetherServer]:
    server = TogetherServer()
    server.training.add_model(MODEL)
    yield server
    server.close()


@pytest.fixture
def provider(server: TogetherServer) -> Together:
    return Together(Endpoint(name="together", api_key=KEY, base_url=server.address, timeout_s=30))


def answering(provider: Together, host: Host) -> Host:
    while host.status is HostStatus.STARTING:
        host = provider.hosting.host(host.id)
    return host


def test_the_cheapest_place_is_quoted_for_a_tuned_model_and_for_its_base(provider: Together) -> None:
    assert provider.hosting.usd_per_hour(MODEL) == 3.99
    assert provider.hosting.usd_per_hour(BASE) == 3.99
    assert provider.hosting.usd_per_hour("nobody/knows-it") is None


def test_a_model_answers_from_its_host_and_from_nowhere_else(server: TogetherServer, provider: Together) -> None:
    begun = provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert (begun.status, begun.usd_per_hour) == (HostStatus.STARTING, 3.99)
    (deployment,) = server.serving.paid()
    assert deployment["inactiveTimeout"] == 30
    assert deployment["autoscaling"] == {"minReplicas": 1, "maxReplicas": 1}
    host = answering(provider, begun)
    assert host.status is HostStatus.ANSWERING
    contract = PromptContract(kind="chat")
    assert provider.answer(Question(model=host.model, text="?", contract=contract)).text == "yes"
    with pytest.raises(ProviderError) as raised:
        provider.answer(Question(model=MODEL, text="?", contract=contract))
    assert raised.value.kind is ErrorKind.MISSING


def test_a_lost_reply_is_unsure_ordered_once_and_found(server: TogetherServer, provider: Together) -> None:
    server.lose(DEPLOY)
    with pytest.raises(ProviderError) as raised:
        provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert raised.value.kind is ErrorKind.UNSURE
    found = provider.hosting.find(INTENT)
    assert found is not None
    assert len(server.serving.paid()) == 1
    assert provider.hosting.find("another") is None


def test_an_endpoint_without_a_deployment_is_no_host_and_is_used(server: TogetherServer, provider: Together) -> None:
    server.lose(("POST", "/v2/projects/*/endpoints"))
    with pytest.raises(ProviderError) as raised:
        provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert raised.value.kind is ErrorKind.RETRY
    assert provider.hosting.find(INTENT) is None
    provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert len(server.serving.endpoints) == 1


def test_what_is_refused_leaves_nothing_behind(server: TogetherServer, provider: Together) -> None:
    server.serving.capacity = False
    with pytest.raises(ProviderError) as raised:
        provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.REFUSED, "insufficient_capacity")
    assert server.serving.endpoints == {}


def test_a_provider_that_fails_before_the_order_is_asked_again(server: TogetherServer, provider: Together) -> None:
    server.refuse(("GET", "/v2/projects/*/models"), refusal(500, "oops"))
    with pytest.raises(ProviderError) as raised:
        provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    assert raised.value.kind is ErrorKind.RETRY


def test_a_model_that_nobody_hosts_is_refused(provider: Together) -> None:
    with pytest.raises(ProviderError) as raised:
        provider.hosting.deploy("acme/another", INTENT, idle_s=900)
    assert raised.value.code == "not-hostable"


@pytest.mark.parametrize("winds_down", [False, True])
def test_a_host_that_is_stopped_costs_nothing_more(
    server: TogetherServer, provider: Together, *, winds_down: bool
) -> None:
    server.serving.winds_down = winds_down
    host = answering(provider, provider.hosting.deploy(MODEL, INTENT, idle_s=900))
    assert provider.hosting.stop(host.id).status is HostStatus.STOPPED
    assert server.serving.paid() == []
    assert provider.hosting.host(host.id).status is HostStatus.STOPPED
    assert provider.hosting.stop(host.id).status is HostStatus.STOPPED
    assert bool(server.serving.endpoints) is winds_down


def test_a_host_that_cannot_be_scaled_is_deleted_all_the_same(server: TogetherServer, provider: Together) -> None:
    host = provider.hosting.deploy(MODEL, INTENT, idle_s=900)
    (deployment,) = server.serving.deployments.values()
    deployment["status"]["state"] = "DEPLOYMENT_STATE_STOPPED"
    server.refuse(("PATCH", "/v2/*"), refusal(400, "Nothing to scale"))
    assert provider.hosting.stop(host.id).status is HostStatus.STOPPED
    assert server.serving.deployments == {}


def test_a_host_that_can_be_neither_scaled_nor_deleted_is_not_said_to_be_stopped(
    server: TogetherServer, provider: Together
) -> None:
    host = answering(provider, provider.hosting.deploy(MODEL, INTENT, idle_s=900))
    server.refuse(("PATCH", "/v2/*"), refusal(400, "Not now"))
    with pytest.raises(ProviderError) as raised:
        provider.hosting.stop(host.id)
    assert raised.value.said == "Not now"
    assert provider.hosting.host(host.id).status is HostStatus.ANSWERING


def test_a_host_that_fell_idle_is_stopped(server: TogetherServer, provider: Together) -> None:
    host = answering(provider, provider.hosting.deploy(MODEL, INTENT, idle_s=900))
    server.serving.fall_idle()
    assert provider.hosting.host(host.id).status is HostStatus.STOPPED


@pytest.mark.parametrize(("idle_s", "minutes"), [(60, 30), (3600, 60), (1_000_000, 1440)])
def test_the_providers_own_timeout_stays_within_what_it_takes(
    server: TogetherServer, provider: Together, idle_s: float, minutes: int
) -> None:
    provider.hosting.deploy(MODEL, INTENT, idle_s=idle_s)
    assert server.serving.paid()[0]["inactiveTimeout"] == minutes
