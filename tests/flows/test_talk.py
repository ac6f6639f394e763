"""What people say and press, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobstore.states import Kind
from tests.flows.conversation import PATIENCE_S, Conversation, rows, training
from tests.support.stack import fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Message
    from tests.support.stack import Stack


@pytest.fixture(scope="module")
def trained(shared_stack: Stack) -> tuple[Conversation, Message]:
    """A conversation that has a model, and its card; tests ask it and leave it as it is."""
    talk = Conversation.of_test(shared_stack, "trained")
    talk.train()
    return talk, talk.finish()


def test_same_bytes_again_are_said_to_be_checked_already(talk: Conversation) -> None:
    first = talk.report(talk.drop())
    again = talk.drop()
    report = talk.report(again, "Already checked")

    assert "the same bytes as d" in report.text
    assert "Train" in report.buttons[0]
    assert first.ts != report.ts
    assert len(talk.replies(again)) == 1


def test_everything_told_three_times_changes_nothing(talk: Conversation) -> None:
    talk.stack.workspace.switch(redeliver=3, redeliver_interactions=3)
    dropped = talk.drop()
    assert talk.launch(talk.report(dropped)).closed
    card = talk.finish()
    talk.ask(card, f"{talk.name} ticket 1")
    talk.answer(card)
    talk.person.say(talk.channel, "@tuneroom another one", card.ts)
    talk.stack.workspace.wait_for(lambda _: len(talk.prompts()) == 2 or None, PATIENCE_S)
    talk.stack.workspace.wait_for_quiet()
    wait_for(lambda: all(prompt.state == "answered" for prompt in talk.prompts()))

    assert len(talk.replies(dropped)) == 1
    assert len(talk.prompts()) == 2
    wait_for(lambda: len([m for m in talk.replies(card) if "Try again" in m.buttons]) == 2)
    assert [run["status"] for run in talk.stack.runs(talk.name)] == ["succeeded"]
    assert len(talk.events(talk.job())) == len(set(talk.events(talk.job())))


def test_refusal_told_three_times_is_read_once(talk: Conversation) -> None:
    talk.stack.workspace.switch(redeliver=3)
    talk.drop(b"%PDF-1.7", filename=f"{talk.name}.pdf")
    talk.person.ephemeral(talk.name)
    talk.stack.workspace.wait_for_quiet()

    assert len([m for m in talk.stack.workspace.ephemerals("mina") if talk.name in m.text]) == 1


def test_dropped_file_is_seen_at_once(talk: Conversation) -> None:
    dropped = talk.drop()
    talk.report(dropped)

    now = talk.stack.workspace.message(dropped)
    assert now is not None
    assert now.reactions == ["eyes"]


def test_card_cancels_a_run(talk: Conversation) -> None:
    card = training(talk, epochs=50)
    talk.press(card, "cancel_job")
    assert f"Cancelling *{talk.job().ref.id}*" in talk.person.ephemeral("Cancelling").text
    talk.card("Cancelled.")
    talk.notice(card, "is cancelled")

    assert talk.job().state == "cancelled"
    assert [run["status"] for run in talk.stack.runs(talk.name)] == ["cancelled"]
    talk.person.command("/tune", f"cancel {talk.job().ref.id}")
    assert "It is cancelled already." in talk.person.ephemeral("cancelled already").text


def test_command_cancels_a_run_and_only_its_owner_or_an_admin_may(stack: Stack, talk: Conversation) -> None:
    jun = Conversation(stack, stack.workspace.as_user("jun"), fresh_name("of-jun"))
    card = training(jun, epochs=50)
    talk.press(card, "cancel_job")
    assert "Only the person who started this job or an admin" in talk.person.ephemeral("Only the person").text
    assert not jun.job().cancel
    jun.person.command("/tune", f"cancel {jun.job().ref.id}")
    jun.card("Cancelled.")

    mine = training(talk, epochs=50)
    Conversation(stack, jun.person, talk.name).press(mine, "cancel_job")
    talk.card("Cancelled.")


def test_job_is_cancelled_before_its_run_exists(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    with talk.stack.without_front():
        assert talk.launch(report).closed
        card = talk.card("The provider cannot be reached.")
        talk.press(card, "cancel_job")
        talk.card("Cancelled.")

    assert talk.stack.runs(talk.name) == []


def test_model_is_tried_by_button(trained: tuple[Conversation, Message], stack: Stack) -> None:
    talk, card = trained
    asked = len(talk.prompts())
    talk.press(card, "Try it")
    form = talk.person.view("Prompt")
    errors = talk.person.submit(form, {"prompt": "hi", "temperature": "hot"}).errors
    assert errors == {"temperature": "The temperature is a number from 0 to 2. 0 is the most predictable."}
    errors = talk.person.submit(form, {"prompt": "hi", "temperature": "0", "max_tokens": "-1"}).errors
    assert list(errors) == ["max_tokens"]
    assert talk.person.submit(form, {"prompt": "by button", "max_tokens": "4"}).closed
    talk.notice(card, "> by button")

    assert len(talk.prompts()) == asked + 1


def test_model_is_tried_by_command(trained: tuple[Conversation, Message], stack: Stack) -> None:
    talk, card = trained
    model = talk.job().ref.id.replace("j", "m")
    talk.person.command("/tune", f"try {model} by <command> & all")
    assert f"Asked *{model}*." in talk.person.ephemeral("Asked").text
    talk.notice(card, "> by <command> & all")

    talk.person.command("/tune", f"test {model}")
    talk.person.close(talk.person.view("Prompt"))


def test_model_is_tried_by_a_mention_in_its_thread(trained: tuple[Conversation, Message], stack: Stack) -> None:
    talk, card = trained
    talk.person.say(talk.channel, "@tuneroom by mention", card.ts)
    talk.notice(card, "> by mention")


def test_mention_elsewhere_is_answered_with_help(talk: Conversation) -> None:
    talk.person.say(talk.channel, "@tuneroom what can you do?")

    assert "/tune train d12" in talk.person.ephemeral("one example a row").text


def test_help_lists_every_verb(talk: Conversation) -> None:
    talk.person.command("/tune", "help")
    said = talk.person.ephemeral("one example a row").text

    assert all(verb in said for verb in ("train", "list", "show", "cancel", "try", "help"))


def test_list_and_show_name_what_is_here(trained: tuple[Conversation, Message], stack: Stack) -> None:
    talk, _ = trained
    job, dataset = talk.job().ref.id, talk.dataset().ref.id
    talk.person.command("/tune", "list")
    listed = talk.person.ephemeral(talk.name).text
    assert f"*{job}* {talk.name}" in listed
    assert f"*{dataset}* {talk.name}" in listed

    talk.person.command("/tune", f"show {job}")
    assert talk.stack.runs(talk.name)[0]["id"] in talk.person.ephemeral("Run at the provider").text
    talk.person.command("/tune", f"show {dataset}")
    assert "14 rows" in talk.person.ephemeral(talk.filename).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tarin", "Did you mean"),
        ("xyzzy <!channel>", "I don't know"),
        ("show", "I don't know which one you mean."),
        ("show j999999", "I know no"),
        ("try m999999 hello", "I know no"),
        ("cancel d1", "Name a job such as j42"),
        ("train d999999", "I know no"),
        ("quote", "I don't know which one you mean."),
        ("list cats", "I don't know that list."),
        ("check", "To check a dataset, drop it here"),
        ("check d999999", "I know no"),
        ("d7", "Did you mean"),
    ],
)
def test_near_misses_are_told_what_to_type(talk: Conversation, typed: str, said: str) -> None:
    before = len(talk.stack.workspace.ephemerals("mina"))
    talk.person.command("/tune", typed)
    talk.stack.workspace.wait_for(lambda w: len(w.ephemerals("mina")) > before or None)

    assert said in talk.stack.workspace.ephemerals("mina")[-1].text


def test_command_without_a_verb_opens_the_form_for_the_newest_dataset(talk: Conversation) -> None:
    talk.report(talk.drop())
    talk.person.command("/tune", "")
    form = talk.person.view("Train")

    assert talk.filename in form.text
    talk.person.close(form)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("suffix", "Not A Name!", "A name is 1 to 64 letters"),
        ("epochs", "51", "Epochs is a whole number from 1 to 50."),
        ("holdout", "50", "That would leave 7 rows to train on"),
        ("seed", "-1", "Seed is a whole number"),
        ("batch", "many", "Batch size is a whole number from 1 to 256."),
        ("lr", "0", "The learning-rate multiplier is above 0 and at most 100."),
    ],
)
def test_wrong_field_is_said_beside_the_field(talk: Conversation, field: str, typed: str, said: str) -> None:
    report = talk.report(talk.drop())
    answer = talk.launch(report, **{field: typed})

    assert not answer.closed
    assert list(answer.errors) == [field]
    assert said in answer.errors[field]
    talk.person.close(talk.person.view("Train"))


def test_bot_introduces_itself_once_where_it_is_invited(talk: Conversation) -> None:
    talk.stack.workspace.switch(redeliver=3)
    talk.person.invite_bot("#general")
    talk.stack.workspace.wait_for_message("#general", "I'm Tuneroom.")
    talk.stack.workspace.wait_for_quiet()

    greetings = [m for m in talk.stack.workspace.messages("#general") if "I'm Tuneroom." in m.text]
    assert len(greetings) == 1


def test_direct_message_is_answered_once(talk: Conversation) -> None:
    talk.stack.workspace.switch(redeliver=3)
    said = talk.person.say("mina", f"hello {talk.name}")
    talk.stack.workspace.wait_for_message("mina", "one example a row", where=lambda m: m.ts > said.ts)
    talk.stack.workspace.wait_for_quiet()

    assert len([m for m in talk.stack.workspace.messages("mina") if m.is_bot and m.ts > said.ts]) == 1


def test_file_dropped_in_a_direct_message_is_checked(talk: Conversation) -> None:
    dropped = talk.person.drop("mina", talk.filename, rows(talk.name))
    talk.stack.workspace.wait_for_message("mina", "Ready to train", thread_ts=dropped.ts)


def test_button_of_a_record_that_is_gone_is_answered(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    dataset = talk.dataset().ref
    with talk.stack.redis.client() as client:
        client.delete(f"tuneroom:{{{dataset.team}}}:{dataset.member}")
    talk.person.click(report, "train")

    assert "Try /tune list." in talk.person.ephemeral("I know no").text


def test_shortcut_checks_a_file_that_was_left_alone(talk: Conversation) -> None:
    filename = f"{talk.name}.data"
    dropped = talk.drop(filename=filename)
    talk.person.ephemeral(filename)
    talk.person.shortcut(dropped, "check_dataset")
    talk.report(dropped)
    talk.person.shortcut(dropped, "check_dataset")

    assert len([d for d in talk.stack.listed(Kind.DATASET) if d.data.filename == filename]) == 1


def test_shortcut_on_a_message_without_a_file_says_so(talk: Conversation) -> None:
    talk.person.shortcut(talk.person.say(talk.channel, f"no file in {talk.name}"), "check_dataset")

    assert "This message has no file." in talk.person.ephemeral("no file.").text


def test_details_show_what_was_confirmed(trained: tuple[Conversation, Message], stack: Stack) -> None:
    talk, card = trained
    talk.press(card, "details")
    shown = talk.person.view("Confirmed")

    assert talk.job().data.digest[:12] in shown.text
    talk.person.close(shown)


def test_post_that_slack_limits_arrives_later_and_once(talk: Conversation) -> None:
    talk.stack.workspace.switch(rate_limit={"method": "chat.postMessage", "count": 1, "retry_after": 1})
    dropped = talk.drop()
    talk.report(dropped)

    assert len(talk.replies(dropped)) == 1


@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal", "chat.update"])
def test_reply_that_slack_loses_posts_nothing_twice(talk: Conversation, method: str) -> None:
    report = talk.report(talk.drop())
    talk.stack.workspace.switch(drop_reply={"method": method, "count": 1})
    assert talk.launch(report).closed
    talk.finish()

    talk.insist_on_one_of_everything()


def test_reply_lost_while_history_lags_posts_nothing_twice(talk: Conversation) -> None:
    """What was posted a moment ago is not in the history yet, so that looking there at once proves nothing."""
    talk.stack.workspace.switch(drop_reply={"method": "chat.postMessage", "count": 1}, history_lag_s=2)
    dropped = talk.drop()
    talk.report(dropped)
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0, timeout_s=PATIENCE_S)

    assert len(talk.replies(dropped)) == 1


@pytest.fixture(autouse=True)
def no_open_modal(shared_stack: Stack) -> Iterator[None]:
    """Leave no form open for the next test to find."""
    yield
    for name in ("mina", "jun"):
        for view in shared_stack.workspace.views(name):
            shared_stack.workspace.as_user(name).close(view)
