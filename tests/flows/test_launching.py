"""Launches in full: by form and by line, every method, what measures, what it goes on from; and what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobstore.states import Kind
from tests.flows.conversation import PATIENCE_S, Conversation, rows
from tests.support.provider_front import CREATE
from tests.support.waiting import wait_for


def pairs(name: str, count: int = 14) -> bytes:
    """Return preference pairs whose bytes no other test has, in the flat form that providers do not take."""
    lines = [
        {"prompt": f"{name} ticket {number}", "chosen": f"Gladly, {number}.", "rejected": f"No, not {number}!"}
        for number in range(count)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def items(name: str) -> bytes:
    """Return rows to be learnt from by reinforcement."""
    lines = [
        {"messages": [{"role": "user", "content": f"{name} {number} + 1?"}], "answer": str(number + 1)}
        for number in range(14)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def checked(talk: Conversation, data: bytes | None = None, *, filename: str = "") -> str:
    """Drop a dataset and return its handle, once it is ready to train."""
    before = {record.ref.id for record in talk.stack.listed(Kind.DATASET)}
    talk.report(talk.drop(data, filename=filename))
    (new,) = {record.ref.id for record in talk.stack.listed(Kind.DATASET)} - before
    return new


def told(talk: Conversation, line: str) -> str:
    """Type a command; return what only the one who typed it is told."""
    before = len(talk.stack.workspace.ephemerals("mina"))
    talk.person.command("/tune", line)
    talk.stack.workspace.wait_for(lambda w: len(w.ephemerals("mina")) > before or None, PATIENCE_S)
    return talk.stack.workspace.ephemerals("mina")[-1].text


def run_of(talk: Conversation) -> dict[str, Any]:
    """Wait for the run that the trainer has of this conversation's job."""
    return wait_for(lambda: next(iter(talk.stack.runs(talk.name)), None), timeout_s=PATIENCE_S)


def test_line_starts_a_free_job_with_exactly_what_it_says(talk: Conversation) -> None:
    dataset = checked(talk)
    said = told(
        talk,
        f"train {dataset} model=toy-gpt method=sft epochs=2 batch=4 lr=x0.5 seed=11 valid=10% suffix＝“{talk.name}”",  # noqa: RUF001
    )
    assert "Started *j" in said
    talk.finish()

    run = run_of(talk)
    assert run["method"] == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"batch_size": 4, "learning_rate_multiplier": 0.5, "n_epochs": 2}},
    }
    assert (run["seed"], run["user_provided_suffix"], bool(run["validation_file"])) == (11, talk.name, True)
    request = talk.job().data.request
    assert (request.dataset, request.holdout_percent) == (dataset, 10)
    assert talk.job().data.digest == request.digest()
    assert talk.stack.front.count(CREATE) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("epoch=3", "Did you mean epochs=?"),
        ("epochs=51", "Epochs is a whole number from 1 to 50."),
        ("model=gpt-9", "This model is not on offer here."),
        ("model=gpt-4.1-mini", "gpt-4.1-mini is trained by OpenAI, and I have no key for that here."),
        ("model=m99999", "I know no model m99999 in this channel."),
        ("method=dpo", "chat rows are learnt by example (sft), not by preference (dpo)."),
        ("beta=0.1", "Only learning by preference (dpo) has a beta."),
        ("lr=2e-5", "This provider takes a multiplier"),
        ("wandb=tickets", "trainer does not report to Weights & Biases."),
        ("provider=openai", "The provider here is trainer."),
        ("valid=d99999", "I know no such dataset in this channel."),
        ("cap=many", "an amount of US dollars"),
    ],
)
def test_line_that_cannot_be_is_refused_with_the_reason(talk: Conversation, line: str, said: str) -> None:
    dataset = checked(talk)
    assert said in told(talk, f"train {dataset} suffix={talk.name} {line}")
    assert talk.stack.jobs(talk.name) == []


def test_form_folds_unfolds_and_keeps_what_was_typed(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    talk.person.click(report, "train")
    form = talk.person.view("Train")
    assert "Learning-rate multiplier" not in form.labels
    fill(talk, "suffix", f"{talk.name}-b")
    talk.person.view(f"ft:toy-gpt:local:{talk.name}-b:…")
    fill(talk, "suffix", talk.name)
    fill(talk, "epochs", "51")
    talk.person.view("Epochs is a whole number from 1 to 50.")
    fill(talk, "epochs", "2")
    unfolded = talk.unfolded()
    assert unfolded.values["Name"] == talk.name
    assert "Trainer does not report to Weights & Biases." in unfolded.text

    assert talk.person.submit(unfolded, {"lr": "x0.5", "seed": "3"}).closed
    talk.finish()
    request = talk.job().data.request
    assert (request.epochs, request.learning_rate_multiplier, request.seed) == (2, 0.5, 3)


def fill(talk: Conversation, field: str, value: str) -> None:
    """Type into a field of the open form, or choose an option: the bot hears of it at once."""
    talk.person.click(talk.person.view("Train"), field, value)


def test_preference_pairs_are_learnt_by_dpo(talk: Conversation) -> None:
    dataset = checked(talk, pairs(talk.name))
    talk.person.command("/tune", f"train {dataset}")
    form = talk.person.view("Learns by preference (DPO)")
    assert talk.person.submit(form, {"suffix": talk.name, "epochs": "1", "beta": "0.2"}).closed
    card = talk.finish()

    method = run_of(talk)["method"]
    assert (method["type"], method["dpo"]["hyperparameters"]["beta"]) == ("dpo", 0.2)
    assert talk.job().data.results is not None
    talk.ask(card, f"{talk.name} 1")
    assert talk.answer(card).text
    assert [prompt.state for prompt in talk.prompts()] == ["answered"]
    assert talk.stack.front.count(CREATE) == 1


def test_reinforcement_is_refused_where_no_model_learns_so(talk: Conversation) -> None:
    talk.report(talk.drop(items(talk.name)), "toy-gpt cannot learn from rows of this format (reinforcement).")
    said = told(talk, f"train {talk.dataset().ref.id} grader=exact:answer")
    assert "cannot be trained on as it is" in said


def test_another_dataset_measures_the_run(talk: Conversation) -> None:
    dataset = checked(talk)
    other = checked(talk, rows(f"{talk.name} other"), filename=f"held-out-{talk.name}.jsonl")
    assert "Started *j" in told(talk, f"train {dataset} valid={other} epochs=1 suffix={talk.name}")
    talk.finish()

    job = talk.stack.jobs(talk.name)[0].data
    assert job.request.validation is not None
    assert (job.request.validation.dataset, job.request.holdout_percent) == (other, 0)
    assert sent(talk, job.train_blob).count(b"\n") == 14
    assert sent(talk, job.valid_blob) == rows(f"{talk.name} other")
    assert run_of(talk)["validation_file"] == job.valid_file


def sent(talk: Conversation, blob: str) -> bytes:
    return next((talk.stack.home / "blobs").glob(f"*/{blob}")).read_bytes()


def test_validation_that_is_trained_on_is_refused_before_anything_is_sent(talk: Conversation) -> None:
    dataset = checked(talk)
    shared = rows(talk.name).splitlines(keepends=True)[:2]
    other = checked(talk, rows(f"{talk.name} other") + b"".join(shared), filename=f"both-{talk.name}.jsonl")
    assert "Started *j" in told(talk, f"train {dataset} valid={other} suffix={talk.name}")
    card = talk.card("Failed.")

    refusal = talk.stack.jobs(talk.name)[0].data.refusal
    assert refusal is not None
    assert refusal.code == "train-validation-overlap"
    assert f"Rows 15, 16 of {other} are to measure the model" in refusal.message
    assert "Nothing was charged." in talk.notice(card, "failed").text
    assert talk.stack.front.count(CREATE) == 0


def test_training_goes_on_from_a_checkpoint(talk: Conversation) -> None:
    first = checked(talk)
    assert "Started *j" in told(talk, f"train {first} epochs=2 suffix={talk.name}")
    talk.finish()
    before = talk.stack.jobs(talk.name)[0]
    checkpoints = before.data.checkpoints
    assert len(checkpoints) == 2
    step, handle = checkpoints[-1].step, before.ref.id.replace("j", "m")

    again = Conversation(talk.stack, talk.person, f"{talk.name}-on")
    talk.person.command("/tune", f"train {first}")
    talk.person.view("Train")
    fill(talk, "model", f"{handle}@{step}")
    form = talk.person.view("lower the learning rate 2 to 4 times")
    assert talk.person.submit(form, {"suffix": again.name, "epochs": "1"}).closed
    again.finish()

    run = run_of(again)
    assert run["model"] == checkpoints[-1].name
    parent = again.stack.jobs(again.name)[0].data.request.parent
    assert parent is not None
    assert (parent.job, parent.step) == (before.ref.id, step)


def test_rows_that_were_uploaded_before_a_crash_are_found_again(talk: Conversation) -> None:
    """The provider has them and the record does not say so: the file's name carries the hash of its bytes."""
    report = talk.report(talk.drop())
    talk.stack.strike("upload.done")
    assert talk.launch(report).closed
    talk.stack.wait_until_struck("upload.done")
    talk.finish()

    job = talk.job().data
    assert names_at_provider(talk).count(f"tuneroom-{job.train_blob[:32]}.jsonl") == 1


def names_at_provider(talk: Conversation) -> list[str]:
    return [file["filename"] for file in talk.stack.ask_trainer("/files?purpose=fine-tune&limit=1000")["data"]]


def test_model_is_trained_further_from_its_notice(talk: Conversation) -> None:
    talk.train()
    card = talk.finish()
    notice = talk.notice(card)
    model = talk.stack.jobs(talk.name)[0].ref.id.replace("j", "m")
    talk.person.click(notice, "Continue training")
    form = talk.person.view(f"Going on from {model}")
    assert form.values["Model to tune"].startswith(f"{model} ")
    talk.person.close(form)
    talk.person.click(notice, "Lineage")
    assert "*Run:*" in talk.person.ephemeral("Asked and confirmed by").text


def two_classes(name: str) -> bytes:
    lines = [
        {"messages": [{"role": "user", "content": f"{name} mail {number}"},
                      {"role": "assistant", "content": "spam" if number % 3 else "ham"}]}
        for number in range(60)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_positive_class_is_the_one_that_was_named(talk: Conversation) -> None:
    """Left alone it would be the rarer one, ham."""
    dataset = checked(talk, two_classes(talk.name))
    assert "The rows have 2 classes, not 3." in told(talk, f"train {dataset} suffix={talk.name} classes=3")
    assert "There is no such class" in told(talk, f"train {dataset} suffix={talk.name} positive=eggs")
    said = told(talk, f"train {dataset} suffix={talk.name} epochs=1 valid=20% classes=2 positive=Spam")
    assert "Started *j" in said
    talk.finish()

    job = talk.stack.jobs(talk.name)[0].data
    assert job.request.classes == 2
    assert job.evaluation is not None
    plan = json.loads(sent(talk, job.evaluation.plan))
    assert (plan["labels"], plan["positive"]) == (["ham", "spam"], "spam")
