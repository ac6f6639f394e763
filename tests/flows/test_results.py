"""The buttons below a run's results and its notice: the CSV, the next run, another checkpoint, code that is pasted."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.flows.conversation import PATIENCE_S, Conversation
from tests.support.stack import KEYS, fresh_name
from tests.support.waiting import wait_for
from tuneroom.settings import environment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Message
    from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(600)  # a training, perhaps on a busy machine
TRAINED_S = 240.0
AWKWARD = 'Don\'t "quote" $HOME `id` \\n 긍정? \U0001f600'


RESULT_FILE: Final = ("GET", "/v1/files/*/content")
LOSSES: Final = {5: 2.0, 10: 1.2, 15: 0.6, 20: 0.65, 25: 0.7, 30: 0.75, 40: 0.85, 45: 0.9}
"""Of a run of 45 steps, three epochs: validation loss is lowest at the end of the first."""


def legacy_file() -> bytes:
    """Return a result file as legacy jobs leave it, of a run that overfits."""
    head = "step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,"
    head += "validation_loss,validation_sequence_accuracy,validation_token_accuracy,classification/accuracy"
    lines = [
        f"{step},{step * 40},{step * 3},{2 / step},0.5,0.9,{LOSSES.get(step, '')},,0.75,{0.8 if step == 45 else ''}"
        for step in range(1, 46)
    ]
    return "\n".join([head, *lines, ""]).encode()


@pytest.fixture(scope="module")
def overfitted(shared_stack: Stack) -> tuple[Conversation, Message]:
    """A conversation of Jun's, who is an admin, about a run that overfits by its result file; and its job's card.

    The file is a legacy job's, in base64.
    """
    talk = Conversation(shared_stack, shared_stack.workspace.as_user("jun"), fresh_name("overfitted"))
    shared_stack.front.reply(RESULT_FILE, base64.b64encode(legacy_file()))
    assert talk.launch(talk.report(talk.drop(talk.many_rows())), epochs="3", holdout="25").closed
    card = talk.finish(TRAINED_S)
    shared_stack.front.calm()
    assert [point.step for point in talk.job().data.checkpoints] == [45, 30, 15]
    return talk, card


def files(talk: Conversation, card: Message, kind: str) -> list[dict[str, Any]]:
    """Return the files of a kind in a job's thread."""
    return [file for message in talk.replies(card) for file in message.files if file["filetype"] == kind]


def test_csv_comes_into_the_thread_once(overfitted: tuple[Conversation, Message], stack: Stack) -> None:
    talk, card = overfitted
    results = talk.notice(card, "*Results.*")
    talk.press(results, "csv")
    talk.press(results, "csv")
    wait_for(lambda: files(talk, card, "csv"), timeout_s=PATIENCE_S)
    stack.workspace.wait_for_quiet()
    wait_for(lambda: stack.outbox.pending(talk.job().ref.team) == 0)

    (file,) = files(talk, card, "csv")
    content = stack.workspace.file_content(file["id"])
    assert content == legacy_file()
    assert "as a CSV file" in talk.person.ephemeral("CSV").text


def test_next_step_opens_the_form_with_as_many_epochs_as_were_good(
    overfitted: tuple[Conversation, Message], stack: Stack
) -> None:
    talk, card = overfitted
    results = talk.notice(card, "*Results.*")
    assert "best at step 15 (0.60), then rose to 0.90" in results.text
    assert "training tokens right 90% · validation tokens right 75% · accuracy 0.80" in results.text
    assert "Train 1 epoch" in results.buttons
    stack.workspace.wait_for_app(PATIENCE_S)
    talk.press(results, "next_step")
    form = talk.person.view("but: train 1 epoch")

    values = {
        block["block_id"]: block["element"].get("initial_value") for block in form.raw["blocks"] if "element" in block
    }
    request = talk.job().data.request
    assert values["epochs"] == "1"
    assert (values["suffix"], values["holdout"]) == (request.suffix, str(request.holdout_percent))
    talk.person.close(form)


def test_results_are_told_by_command(overfitted: tuple[Conversation, Message]) -> None:
    talk, _ = overfitted
    handle = talk.job().ref.id
    talk.person.command("/tune", f"results {handle}")
    said = talk.person.ephemeral("*Results.*").text
    assert "overfitting" in said
    assert f"({handle}): test accuracy" in said
    talk.person.command("/tune", "results j9999")
    assert "I know no job j9999." in talk.person.ephemeral("j9999").text


def test_checkpoint_answers_in_the_models_place_and_back(
    overfitted: tuple[Conversation, Message], stack: Stack
) -> None:
    talk, card = overfitted
    job = talk.job().data
    results = talk.notice(card, "*Results.*")
    step = 15
    assert f"Use checkpoint {step}" in results.buttons
    talk.press(results, "use_checkpoint")
    chosen = talk.notice(card, f"answers from its checkpoint at step {step}")
    talk.ask(card, "which one are you?")
    talk.answer(card)
    assert talk.prompts()[0].data.model.endswith(f":ckpt-step-{step}")

    talk.press(chosen, "use_last_step")
    talk.notice(card, "as it was at the end again")
    assert talk.job().data.answering == job.model
    audited = [entry for entry in stack.store.audit(talk.job().ref.team) if entry["act"] == "use-checkpoint"]
    assert [entry["step"] for entry in audited if entry["on"] == talk.job().ref.member] == [step, 0]


def test_only_the_owner_or_an_admin_chooses_a_checkpoint(
    overfitted: tuple[Conversation, Message], stack: Stack
) -> None:
    talk, card = overfitted
    mina = Conversation(stack, stack.workspace.as_user("mina"), talk.name)
    mina.press(talk.notice(card, "*Results.*"), "use_checkpoint")
    assert "Only the person who started this job" in mina.person.ephemeral("Only the person").text
    assert talk.job().data.used_step == 0


def completion_rows(name: str) -> bytes:
    """Return rows with a separator and a stop, whose prompts a shell and a JSON writer may stumble over."""
    lines = [
        {"prompt": f"{AWKWARD} {name} {number}\n\n###\n\n", "completion": f" {('yes', 'no')[number % 2]} END"}
        for number in range(40)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def chat_rows(name: str) -> bytes:
    """Return rows with one system message."""
    system = {"role": "system", "content": f"Route {AWKWARD} for {name}."}
    lines = [
        {"messages": [system, {"role": "user", "content": f"{AWKWARD} {number}"},
                      {"role": "assistant", "content": ("yes", "no")[number % 2]}]}
        for number in range(40)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize("make", [completion_rows, chat_rows])
def test_snippets_work_when_pasted(talk: Conversation, make: Any, tmp_path: Path) -> None:
    assert talk.launch(talk.report(talk.drop(make(talk.name))), epochs="3", holdout="20").closed
    card = talk.finish(TRAINED_S)
    notice = talk.notice(card)
    talk.stack.workspace.wait_for_app(PATIENCE_S)
    talk.press(notice, "code")
    curl, python, node = _snippets(talk.person.view("Python"))
    assert KEYS["trainer"] not in curl + python + node

    said = json.loads(_run(["bash"], curl, tmp_path))["choices"][0]
    text = said["message"]["content"] if "message" in said else said["text"]
    assert _run([sys.executable, "-P", "-"], python, tmp_path).decode().strip() == text.strip()
    if shutil.which("node"):
        assert _run(["node", "-"], node, tmp_path).decode().strip() == text.strip()
    # and it is what the bot asks itself: the model of the job, a held-out question, by the contract
    body = _asked(curl)
    assert body["model"] == talk.job().data.model
    if make is completion_rows:
        assert body["prompt"].startswith(AWKWARD)
        assert body["prompt"].endswith("\n\n###\n\n")
        assert body["stop"] == [" END"]
    else:
        assert body["messages"][0] == {"role": "system", "content": f"Route {AWKWARD} for {talk.name}."}
        assert AWKWARD in body["messages"][1]["content"]


def _snippets(view: Any) -> list[str]:
    found = [block["elements"][0] for block in view.raw["blocks"] if block["type"] == "rich_text"]
    assert all(one["type"] == "rich_text_preformatted" for one in found)
    return [one["elements"][0]["text"] for one in found]


def _asked(curl: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(curl[curl.index("-d '") + 4 : -1])
    return body


def _run(command: list[str], snippet: str, home: Path) -> bytes:
    """Paste a snippet into a program whose environment holds the key, and nothing else of ours."""
    kept = {name: value for name, value in environment().items() if not name.startswith(("OPENAI_", "TUNEROOM_"))}
    ended = subprocess.run(
        command, input=snippet.encode(), capture_output=True, timeout=120, cwd=home, check=False,
        env=kept | {"OPENAI_API_KEY": KEYS["trainer"], "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout
