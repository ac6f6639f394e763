"""Two bots, two workers, two followers by the commands and environments of docker-compose.yml, each killed once."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from ruamel.yaml import YAML

from sandbox.people import TEAM_ID
from tests.flows.conversation import Conversation, Twice
from tests.support.stack import Stack, fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.client import Message

ROOT: Final = Path(__file__).parents[2]
SERVICES: Final[dict[str, Any]] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())["services"]
PATIENCE_S: Final = 150.0
TWICE: Final = ("bot", "worker", "follower")
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")


def interpolated(service: str, values: Mapping[str, str]) -> dict[str, str]:
    """A service's environment, as compose fills it in from `.env`."""
    given: dict[str, str | None] = SERVICES[service]["environment"]
    return {
        name: VARIABLE.sub(lambda match: values.get(match[1]) or match[2] or "", str(value))
        for name, value in given.items()
        if value is not None
    }


class Deployment(Stack):
    """A stack in which every process of the product stands twice, and knows only what compose tells it."""

    def _serve(self, name: str, command: list[str], variables: Mapping[str, str]) -> None:
        if name not in TWICE:
            super()._serve(name, command, variables)
            return
        for number in (1, 2):
            told = interpolated(name, variables) | {"REDIS_URL": self.redis.url, "TUNEROOM_HEALTH_PORT": ""}
            start = [*command[: command.index(name)], *SERVICES[name]["command"]]
            super()._serve(f"{name}-{number}", start, self._base | told)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("many") / "home") as running:
        yield running


def conversations(stack: Stack) -> list[Conversation]:
    people = [stack.workspace.as_user(name) for name in ("mina", "jun")]
    return [Conversation(stack, person, fresh_name("many")) for person in people for _ in range(2)]


def launched(talk: Conversation, report: Message) -> Message:
    assert talk.launch(report, epochs="8").closed
    return talk.card()


def trainer_answers(stack: Stack) -> bool:
    try:
        stack.runs("nothing")
    except OSError:
        return False
    return True


@pytest.mark.timeout(600)
def test_everything_is_killed_once_and_every_run_is_paid_once(deployment: Deployment) -> None:
    before = Twice.of(deployment)
    talks = conversations(deployment)
    dropped = [talk.drop() for talk in talks]
    reports = [talk.report(file) for talk, file in zip(talks, dropped, strict=True)]
    cards = [launched(talk, report) for talk, report in zip(talks, reports, strict=True)]
    assert len(cards) == len(talks)

    for name in ("worker-1", "bot-1", "follower-1", "trainer", "worker-2", "bot-2", "follower-2"):
        deployment.kill(name)
    deployment.redis.kill()
    deployment.redis.start()
    wait_for(lambda: trainer_answers(deployment), timeout_s=PATIENCE_S)  # a short run may be done before it is back

    for talk in talks:
        talk.card("Ready.", timeout_s=PATIENCE_S)
        talk.finish()
        talk.insist_on_one_of_everything()
    wait_for(lambda: deployment.outbox.pending(TEAM_ID) == 0, timeout_s=60)
    assert Twice.of(deployment) == before


def test_sigterm_ends_each_in_good_order_with_nothing_left_held(deployment: Deployment) -> None:
    talk = conversations(deployment)[0]
    talk.train()
    for name in TWICE:
        for number in (1, 2):
            deployment.kill(f"{name}-{number}", signal.SIGTERM)
    talk.finish()
    talk.insist_on_one_of_everything()
