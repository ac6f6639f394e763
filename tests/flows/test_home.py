"""The app's Home: what a person opens is theirs, as it stands at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation
    from tests.support.stack import Stack


def test_a_model_of_mine_is_tried_from_my_home(talk: Conversation) -> None:
    talk.train()
    talk.finish()
    talk.person.open_home()
    home = talk.person.home(talk.name, timeout_s=PATIENCE_S)
    assert "My models" in home.text
    assert "Spent or held back this month: $0 by you" in home.text
    talk.person.click(home, "try_model")
    assert talk.person.view("Prompt").values


def test_nobody_elses_jobs_stand_there_and_a_guest_is_refused(talk: Conversation, stack: Stack) -> None:
    talk.train()
    talk.finish()
    jun, guest = stack.workspace.as_user("jun"), stack.workspace.as_user("gil")
    jun.open_home()
    assert talk.name not in jun.home("Spent or held back this month", timeout_s=PATIENCE_S).text
    guest.open_home()
    assert "Guests cannot use Tuneroom." in guest.home("Guests", timeout_s=PATIENCE_S).text
