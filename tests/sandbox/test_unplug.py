"""Whatever is unplugged in the middle of a training, the job gets ready, is told once, and was paid for once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.support.served import TRAIN, figures, paid_runs, served, workspace_of
from tests.support.stack import fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from sandbox.client import Message, Workspace

PATIENCE_S = 240.0
AGAIN = "Redeliver"
pytestmark = pytest.mark.timeout(900)  # everything that runs, and a training in it
CONTROLS = ("Kill a worker", "Drop the provider's reply", "Restart Redis")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with served(tmp_path_factory.mktemp("unplug") / "home") as address:
        yield address


@pytest.fixture
def workspace(url: str) -> Generator[Workspace]:
    with workspace_of(url) as workspace:
        yield workspace


def press(workspace: Workspace, label: str) -> str:
    """Press one of the page's buttons."""
    if label == AGAIN:
        return f"{workspace.do('redeliver', {'times': 3})['told']} told again"
    said = workspace.do("controls", {"control": CONTROLS.index(label)})["said"]
    assert isinstance(said, str)
    return said


def launch(workspace: Workspace) -> str:
    """Train the sample under a name of its own; long enough to be in the middle of it for a while."""
    mina = workspace.as_user("mina")
    root = workspace.messages("#tuning")[0]
    report = workspace.wait_for_message("#tuning", "Ready to train", thread_ts=root.ts, timeout_s=PATIENCE_S)
    workspace.wait_for_app(PATIENCE_S)
    mina.click(report, "train")
    name = fresh_name("unplugged")
    assert mina.submit(mina.view("Train"), {"suffix": name, "epochs": "12"}).closed
    return name


def card(workspace: Workspace, name: str, text: str) -> Message:
    return workspace.wait_for_message("#tuning", text, where=lambda m: name in m.text, timeout_s=PATIENCE_S)


def test_a_new_workspace_opens_on_a_sample_that_was_checked(workspace: Workspace) -> None:
    [root] = [m for m in workspace.messages("#tuning") if m.files]
    report = workspace.wait_for_message("#tuning", "Ready to train", thread_ts=root.ts, timeout_s=PATIENCE_S)
    assert report.buttons[0] == TRAIN
    assert root.user == workspace.user_id("mina")


@pytest.mark.parametrize("label", [*CONTROLS, AGAIN])
def test_a_job_that_something_is_unplugged_from_recovers_and_is_paid_once(
    url: str, workspace: Workspace, label: str
) -> None:
    before = paid_runs(url)
    name = launch(workspace)
    wait_for(lambda: figures(url)["busy"], timeout_s=PATIENCE_S)

    press(workspace, label)

    ready = card(workspace, name, "Ready.")
    workspace.wait_for_message(
        "#tuning", "answers: it is model", thread_ts=ready.ts, where=lambda m: m.ts != ready.ts, timeout_s=PATIENCE_S
    )
    assert paid_runs(url) == before + 1
    assert len([m for m in workspace.messages("#tuning") if m.is_bot and name in m.text]) == 1
    thread = workspace.wait_for(lambda w: told(w, ready) or None, PATIENCE_S)
    assert sum("Results." in m.text for m in thread) == 1
    assert sum("answers: it is model" in m.text for m in thread) == 1
    pictures = [str(file["name"]) for m in thread for file in m.files]
    assert len(pictures) == len(set(pictures))


def told(workspace: Workspace, ready: Message) -> list[Message]:
    """The thread below a card, once figures, the picture of the loss and the notice stand in it."""
    replies = [m for m in workspace.messages("#tuning", ready.ts) if m.ts != ready.ts]
    said = "".join(m.text for m in replies)
    return replies if "Results." in said and "answers: it is model" in said and any(m.files for m in replies) else []


def test_a_reply_dropped_before_the_launch_loses_the_creation_and_not_a_second_run(
    url: str, workspace: Workspace
) -> None:
    wait_for(lambda: not figures(url)["busy"], timeout_s=PATIENCE_S)
    before = paid_runs(url)
    assert press(workspace, "Drop the provider's reply") == "The reply to the next launch is lost, its run made."
    assert figures(url)["said"] == "Waits for the next run: Drop the provider's reply."

    name = launch(workspace)

    card(workspace, name, "Ready.")
    assert paid_runs(url) == before + 1


def test_what_is_pressed_while_nothing_trains_happens_in_the_middle_of_the_next_run(
    url: str, workspace: Workspace
) -> None:
    wait_for(lambda: not figures(url)["busy"], timeout_s=PATIENCE_S)
    assert press(workspace, "Kill a worker") == "Kill a worker: in the middle of the next run."

    name = launch(workspace)

    wait_for(lambda: not figures(url)["said"].startswith("Waits for the next run"), timeout_s=PATIENCE_S)
    card(workspace, name, "Ready.")


def test_only_who_has_the_secret_may_unplug_anything(url: str) -> None:
    state: dict[str, Any] = httpx2.get(f"{url}/sandbox/state", trust_env=False).json()
    assert "http://127.0.0.1" not in json.dumps(state["tables"]["about"])
    assert state["tables"]["about"]["workspace"]["controls"] == list(CONTROLS)
