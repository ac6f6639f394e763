"""Of several changes of one form under way at once, the latest is what stands there."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.intake import Change
from bot.listeners.live_forms import FORMS_MAX, LiveForms


class Slack:
    """Slack as far as a form goes: each update changes its hash, and a stale hash is refused."""

    def __init__(self) -> None:
        self.hash = "h0"
        self.shown: list[Any] = []

    def views_update(self, *, view_id: str, view: Any, hash: str = "") -> None:  # noqa: A002 - Slack's name
        if hash and hash != self.hash:
            raise SlackApiError("conflict", {"ok": False, "error": "hash_conflict"})
        self.shown.append(view)
        self.hash = f"h{len(self.shown)}"


def change(at: str, hash_: str = "h0", view_id: str = "V1") -> Change:
    return Change(
        team="T1", person="U1", view_id=view_id, hash=hash_, action="epochs", memo="", values={"epochs": at}, at=at
    )


def test_change_that_was_typed_before_the_last_answer_came_is_still_shown() -> None:
    forms, slack = LiveForms(), Slack()
    for one in (change("1.1"), change("1.2")):  # both were typed on the form as it first stood
        forms.note(one)
        forms.show(slack, one, one.values)  # type: ignore[arg-type]
    assert slack.shown == [{"epochs": "1.1"}, {"epochs": "1.2"}]


def test_earlier_change_never_covers_a_later_one() -> None:
    forms, slack = LiveForms(), Slack()
    first, second = change("1.1"), change("1.2")
    forms.note(first)
    forms.note(second)
    forms.show(slack, second, second.values)  # type: ignore[arg-type]
    forms.show(slack, first, first.values)  # type: ignore[arg-type]
    assert slack.shown == [{"epochs": "1.2"}]


def test_form_that_is_closed_is_left_alone() -> None:
    class Closed(Slack):
        def views_update(self, **_: Any) -> None:
            raise SlackApiError("gone", {"ok": False, "error": "not_found"})

    forms = LiveForms()
    forms.note(change("1.1"))
    with pytest.raises(SlackApiError):
        forms.show(Closed(), change("1.1"), {})  # type: ignore[arg-type]


def test_old_forms_are_forgotten() -> None:
    forms = LiveForms()
    for number in range(FORMS_MAX + 10):
        forms.note(change("1.1", view_id=f"V{number}"))
    assert len(forms._latest) == FORMS_MAX
