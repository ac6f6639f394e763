# ruff: noqa: RUF001 - ranges take an en dash
"""What a classifier's answers came to, as the thread reads it; and within Slack's limits whatever they were."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.views.evaluations import confusion_title, evaluation_post, share_words
from bot.views.outcomes import checkpoint_post, ready_post, results_message, results_post
from bot.views.preformatted import lined_up, preformatted
from bot.views.stages import stage_sentence
from finetune.evaluation import Given, Plan, Scores, scores_of
from finetune.held_out import HeldOutRow
from finetune.metrics import Share
from jobstore.evaluations import Evaluation
from jobstore.jobs import Checkpoint, Results
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import NOON_MS, a_job, buttons, shown
from tests.bot.test_views_limits import NASTY

DONE = Evaluation(
    plan="", rows=200, held_out=1_204, begun_ms=1, asked=200, right=182, scored=200, scores="s", cost_usd=0.0041
)
RESULTS = Results(
    csv="c",
    chart="c",
    sentence="Validation loss was best at step 600 (0.61), then rose to 0.74.",
    next_step="Use a checkpoint near step 600, or train one epoch fewer.",
    diagnosis="overfitting",
    final_train_loss=0.31,
    final_valid_loss=0.74,
    best_step=600,
    best_valid_loss=0.61,
    final_train_accuracy=0.97,
    final_valid_accuracy=0.84,
    action="fewer-epochs",
    checkpoint=600,
    figures={"weighted_f1_score": 0.7},
)


def scores(expected: list[str], answered: list[str], positive: str = "", odds: list[float] | None = None) -> Scores:
    """Score answers as the stage does."""
    rows = tuple(HeldOutRow(f"q{number}", label) for number, label in enumerate(expected))
    given_ = [Given(text, score) for text, score in zip(answered, odds or [None] * len(answered), strict=True)]
    found = scores_of(Plan(rows=rows, labels=tuple(sorted({*expected})), positive=positive), given_)
    assert found is not None
    return found


def test_accuracy_comes_with_its_interval_and_what_it_compares_with() -> None:
    expected = ["billing"] * 120 + ["shipping"] * 80
    answered = ["billing"] * 110 + ["shipping"] * 82 + ["billing"] * 8
    assert shown(evaluation_post(a_job("ready", evaluation=DONE), scores(expected, answered))).startswith(
        "*support-bot* (j42): test accuracy 91% (86–94) on rows it was not trained on, 182 of 200 right.\n"
        "Always answering *billing* would get 60%.\n"
        "Try it on questions of your own.\n"
        "class       right  prec.    F1\n"
        "billing   110/120    93%  0.92\n"
        "shipping    72/80    88%  0.89\n"
        "weighted F1 0.91 · 200 of 1,204 held-out rows asked · asking cost $0.0041\n"
    )


def test_two_classes_have_the_figures_of_the_positive_one() -> None:
    found = scores(["no", "no", "yes", "yes"], ["no", "yes", "yes", "yes"], "yes", [0.1, 0.6, 0.8, 0.9])
    assert "for *yes* · precision 0.67 · recall 1.00 · F1 0.80 · AUROC 1.00 · AUPRC 1.00" in shown(
        evaluation_post(a_job("ready", evaluation=DONE), found)
    )


def test_a_model_no_better_than_one_answer_is_called_so() -> None:
    found = scores(["a"] * 7 + ["b"] * 3, ["a"] * 10)
    assert "*That is no proven gain.* Add rows, or check that their labels are right." in shown(
        evaluation_post(a_job("ready", evaluation=DONE), found)
    )


def test_the_weakest_class_is_named_with_what_it_is_taken_for() -> None:
    expected = ["a"] * 40 + ["b"] * 40 + ["c"] * 10
    answered = ["a"] * 40 + ["b"] * 40 + ["c"] * 2 + ["b"] * 5 + ["a"] * 3
    assert "Weakest is *c*: 2 of 10 right, mostly taken for *b*. Add rows of it." in shown(
        evaluation_post(a_job("ready", evaluation=DONE), scores(expected, answered))
    )


def test_answers_that_are_no_classes_are_right_word_for_word() -> None:
    rows = (HeldOutRow("q", "Berlin, 14 May"), HeldOutRow("r", "Seoul"))
    found = scores_of(Plan(rows=rows), [Given("Berlin, 15 May"), Given("Seoul")], lambda text: [*text.encode()])
    assert found is not None
    record = a_job("ready", evaluation=dataclasses.replace(DONE, is_classifier=False, right=1, scored=2))
    assert shown(evaluation_post(record, found)).startswith(
        "*support-bot* (j42): exact answers 50% (9–91) on rows it was not trained on, 1 of 2 right.\n"
        "Right is an answer that is word for word what was expected. Try it on questions of your own.\n"
        "95% of the tokens right · 200 of 1,204 held-out rows asked"
    )
    assert "answers: it is model m42. Exact answers 50% (9–91).\n" in shown(ready_post(record))


def test_many_classes_are_shown_by_their_size() -> None:
    expected = [f"class {number}" for number in range(15) for _ in range(number + 1)]
    text = shown(evaluation_post(a_job("ready", evaluation=DONE), scores(expected, expected)))
    assert "class 14" in text
    assert "and 3 classes more" in text
    assert "class 2 " not in text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("time", "I stopped after 5 minutes."),
        ("price", "I stopped at the most that asking may cost here."),
        ("provider", "The provider stopped answering."),
    ],
)
def test_why_not_all_were_asked_is_said(why: str, said: str) -> None:
    stopped = dataclasses.replace(DONE, asked=120, stopped=why, cost_usd=0.0)
    text = shown(evaluation_post(a_job("ready", evaluation=stopped), scores(["a", "b"], ["a", "b"])))
    assert f"120 of 1,204 held-out rows asked · asking was free. {said}" in text


@pytest.mark.parametrize(
    ("right", "total", "words"), [(182, 200, "91% (86–94)"), (0, 10, "0% (0–28)"), (20, 20, "100% (84–100)")]
)
def test_a_share_is_said_with_its_interval(right: int, total: int, words: str) -> None:
    assert share_words(Share(right, total)) == words


def test_columns_line_up_in_any_script() -> None:
    assert lined_up([("class", "rows"), ("긍정", "7"), ("neg", "12")]) == "class  rows\n긍정      7\nneg      12"


def test_fixed_width_has_its_limit() -> None:
    with pytest.raises(ValueError, match="3001 characters"):
        preformatted("x" * 3_001)


def test_the_notice_has_the_accuracy_and_the_base_s_last_day() -> None:
    record = a_job("ready", evaluation=DONE, cost_usd=3.52, ready_ms=NOON_MS + 60_000)
    text = shown(ready_post(record, date(2027, 1, 14)))
    assert "<@UMINA> *support-bot* answers: it is model m42. Test accuracy 91% (86–94).\n" in text
    assert "· cost $3.52 · stops on 2027-01-14" in text
    assert list(buttons(ready_post(record))) == ["try_model", "compare_base", "code", "details", "more"]


def test_results_have_the_next_run_the_checkpoint_and_the_csv() -> None:
    post = results_post(a_job("ready", results=RESULTS))
    assert {name: one["text"]["text"] for name, one in buttons(post).items()} == {
        "next_step": "Train 2 epochs",
        "use_checkpoint": "Use checkpoint 600",
        "csv": "CSV",
    }
    assert {one["value"] for one in buttons(post).values()} == {"job:j42"}
    assert "training tokens right 97% · validation tokens right 84% · weighted f1 score 0.70" in shown(post)


def test_all_results_are_one_message() -> None:
    message = results_message(a_job("ready", results=RESULTS, evaluation=DONE), scores(["a", "b"], ["a", "b"]))
    text = shown(message)
    assert text.index("*Results.* Validation loss was best") < text.index("test accuracy 100%")
    assert "test accuracy" not in shown(results_message(a_job("ready", results=RESULTS), None))


def test_a_run_that_was_best_at_its_end_says_its_loss_once() -> None:
    ended = dataclasses.replace(RESULTS, best_step=900, best_valid_loss=0.7449)
    assert "validation loss 0.74 · training tokens" in shown(results_post(a_job("ready", results=ended)))


def test_a_run_that_fits_has_nothing_to_change() -> None:
    fits = dataclasses.replace(RESULTS, action="none", checkpoint=0)
    assert list(buttons(results_post(a_job("ready", results=fits)))) == ["csv"]


def test_a_checkpoint_in_the_models_place_is_said_and_can_be_taken_back() -> None:
    checkpoints = (Checkpoint(name="ft:x:ckpt-step-600", step=600),)
    record = a_job("ready", checkpoints=checkpoints, used_step=600, model="ft:x", evaluation=DONE)
    post = checkpoint_post(record)
    assert shown(post).startswith(
        "*support-bot* (j42): m42 answers from its checkpoint at step 600 from now on.\n"
        "Its test accuracy was measured at the end, not here."
    )
    assert list(buttons(post)) == ["try_model", "use_last_step"]
    assert record.data.answering == "ft:x:ckpt-step-600"
    back = a_job("ready", checkpoints=checkpoints, model="ft:x")
    assert "m42 answers as it was at the end again." in shown(checkpoint_post(back))
    assert (list(buttons(checkpoint_post(back))), back.data.answering) == (["try_model"], "ft:x")


def test_the_card_counts_the_rows_that_were_asked() -> None:
    asking = dataclasses.replace(DONE, asked=24, scores="")
    assert "rows it was not trained on: 24 of 200." in str(stage_sentence(a_job("evaluating", evaluation=asking), 0))


LABELS = st.sampled_from([text[:400] for text in NASTY if text.strip()]) | st.text(max_size=60)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60), st.sampled_from(["", "time", "price", "provider"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_posts_about_any_labels_keep_the_limits(pairs: list[tuple[str, str]], why: str) -> None:
    clean = [tuple(text.encode("utf-8", "replace").decode() for text in pair) for pair in pairs]
    expected, answered = [want for want, _ in clean], [got for _, got in clean]
    record = a_job("ready", evaluation=dataclasses.replace(DONE, stopped=why))
    found = scores(expected, answered, min(expected))
    assert problems_of_message(evaluation_post(record, found)) == []
    assert problems_of_message(results_message(record, found)) == []
    assert 0 < len(confusion_title(record)) < 255
