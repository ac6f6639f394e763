"""Who somebody is depends on the workspace that asks: what was learnt for one says nothing in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient

from bot.people import KEPT_S, People
from sandbox.client import Workspace
from sandbox.config import SandboxConfig
from sandbox.people import MINA, TEAM_ID
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Workspace]:
    config = SandboxConfig(data_dir=tmp_path, bot_token="xoxb-1", app_token="xapp-1", signing_secret="secret")
    with running(config) as url, Workspace(url) as workspace:
        yield workspace


def test_member_of_one_workspace_is_a_stranger_in_another(slack: Workspace) -> None:
    now = [1.0]
    people = People(WebClient("xoxb-1", base_url=f"{slack.base_url}/api/", retry_handlers=[]), lambda: now[0])
    for _ in range(2):
        assert not people.person(MINA, TEAM_ID).is_external
        assert people.person(MINA, "T0ELSEWHERE").is_external
    slack.wait_for(lambda w: len(w.calls("users.info")) == 2 or None)
    now[0] += KEPT_S + 1
    people.person(MINA, TEAM_ID)
    slack.wait_for(lambda w: len(w.calls("users.info")) == 3 or None)
