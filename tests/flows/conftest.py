# ruff: noqa: E402 - assertions of the modules below are rewritten only where that is said before they are imported
"""The stack that the tests of a worker process share, and what is true after every conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("tests.flows.conversation", "tests.support.stack", "tests.support.waiting")

from sandbox.people import TEAM_ID
from sandbox.switches import OFF
from tests.flows.conversation import PATIENCE_S, Conversation, Twice
from tests.support.stack import START_S, Stack
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The running Tuneroom, with nothing out of order; afterwards everything said stands there once."""
    yield from tidy(shared_stack)


def tidy(stack: Stack) -> Iterator[Stack]:
    """Hand a stack to one test: what the test before has set is put back, and its end is looked at."""
    stack.fill_buckets()
    stack.forgive()
    stack.workspace.wait_for_app(START_S)
    before = Twice.of(stack)
    yield stack
    stack.front.calm()
    stack.disarm()
    stack.workspace.switch(**OFF)
    wait_for(lambda: stack.outbox.pending(TEAM_ID) == 0, timeout_s=PATIENCE_S)
    assert Twice.of(stack) == before


@pytest.fixture
def talk(stack: Stack, request: pytest.FixtureRequest) -> Conversation:
    """A conversation of Mina's in #tuning, under a name of its own."""
    return Conversation.of_test(stack, request.node.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what was said and logged when a test fails."""
    report = yield
    arguments = getattr(item, "funcargs", {})
    stack = arguments.get("stack") or arguments.get("paid_stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("transcripts and logs", stack.story()))
    return report
