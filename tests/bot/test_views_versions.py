"""A version's card says what changed by row and what is left to a person; its buttons and forms keep the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views.datasets import dataset_card
from bot.views.rows import rows_shown
from bot.views.versions import convert_modal, map_modal, version_asked, version_known
from finetune.conversion.columns import guess
from finetune.excerpt import Shown
from finetune.findings import Finding, Severity
from finetune.fixes.difference import Change, Difference
from jobstore.records import Dataset, Made, Record
from jobstore.refusals import Refusal
from tests.bot.block_limits import problems_of_message, problems_of_modal
from tests.bot.cards import a_dataset, a_finding, a_report, buttons, fields, shown
from tests.bot.test_views_limits import DATASETS, IN_FULL, REPORTS, TEXT, anything

if TYPE_CHECKING:
    from finetune.report import Report

MADE = Made(parent="d12", original="d12", number="2", source="ab", source_name="tickets.csv", recipe="cd")
CHANGES = (Change("column-case", (6, 8), 2), Change("duplicate-row", tuple(range(20, 40)), 31))
DIFFERENCE = Difference(1235, 1204, CHANGES, runs=((1, 1), (16, 17), (30, 40)))


def a_version(state: str, **changes: Any) -> Record[Dataset]:
    return a_dataset(state, filename="tickets-v2.jsonl", made=MADE, sha256="ef", **changes)


def card_of(report: Report, difference: Difference | None = DIFFERENCE, state: str = "rejected") -> str:
    return shown(dataset_card(a_version(state), report, model_labels={}, difference=difference))


def test_a_version_says_what_changed_by_row_and_what_still_needs_a_person() -> None:
    said = card_of(a_report(a_finding(16), a_finding(30)))
    assert said.startswith(
        "*Version 2* of *tickets.csv* (d12), which is untouched.\n"
        "• 31 repeated rows deleted: rows 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 and 21 more.\n"
        "• Columns renamed `prompt` and `completion` in 2 rows: rows 6 and 8.\n"
        "Rows 17 and 40 of tickets.csv still need you.\n"
    )


def test_rows_are_named_once_where_their_numbers_are_the_same() -> None:
    assert "\nRow 7 still needs you.\n" in card_of(a_report(a_finding(7)))
    assert "Rows 7 and 9 of this version still need you." in card_of(
        a_report(a_finding(7), a_finding(9)), Difference(1235, 1204, CHANGES)
    )
    assert "need" not in card_of(a_report(), state="accepted").partition("*1,204 rows")[0]


def test_a_version_on_its_way_and_one_that_cannot_be_made() -> None:
    making = dataset_card(a_version("mending", rows_seen=40_000), None, model_labels={})
    assert making.text == "Making version 2 of *tickets.csv*: 40,000 rows so far."
    refused = Refusal(code="nothing-to-change", message="It would be the same file.", hint="")
    record = a_dataset("unreadable", made=MADE, refusal=refused)
    assert dataset_card(record, None, model_labels={}).text.startswith("There is no version 2 of *tickets.csv*.")


def test_the_next_step_is_a_button_and_the_rest_behind_the_menu() -> None:
    repeats = Finding("duplicate-row", Severity.WARNING, (3,), 1, "Row 3 repeats.", "Keep one.")
    spelt = Finding("column-case", Severity.WARNING, (3,), 1, "Row 3 spells.", "Name.")
    empty = Finding("empty-completion", Severity.ERROR, (4, 5), 2, "Rows 4 and 5.", "Write.")
    report = a_report(repeats, spelt, empty, format="prompt-completion", columns=("prompt", "completion"))
    said = shown(dataset_card(a_dataset("rejected"), report, model_labels={}))
    assert "\n[Apply 2 safe fixes]\n[Show rows]\n[⋯ Delete 2 rows with empty answers, " in said
    assert "Convert to chat…" in said


def test_fixes_that_would_harm_an_instruct_model_are_offered_for_base_models_alone() -> None:
    def menu(severity: Severity) -> str:
        finding = Finding("separator-missing", severity, (), 1, "No prompt ends alike.", "End them alike.")
        report = a_report(finding, format="prompt-completion")
        return shown(dataset_card(a_dataset("accepted"), report, model_labels={}))

    assert "base models" not in menu(Severity.ADVICE)
    assert "Apply 1 fix for base models" in menu(Severity.WARNING)
    assert "safe" not in menu(Severity.WARNING)


def test_rows_of_other_formats_are_to_be_converted_and_columns_of_other_names_to_be_mapped() -> None:
    alpaca = dataset_card(a_dataset("rejected"), a_report(a_finding(), format="alpaca"), model_labels={})
    assert buttons(alpaca)["convert_chat"]["style"] == "primary"
    missing = Finding("missing-column", Severity.ERROR, (2,), 60, "All rows.", "Map them.")
    unmapped = a_report(missing, format=None, rows=60, examples=0, columns=("질문", "답변"))
    assert list(buttons(dataset_card(a_dataset("unreadable"), unmapped, model_labels={}))) == ["map_columns"]


def test_a_mapping_opens_with_names_guessed() -> None:
    columns = ["번호", "질문", "지문", "답변"]
    modal = map_modal(a_dataset("unreadable"), columns, guess(columns), metadata="dataset:d12")
    filled = fields(modal)
    assert filled == {
        "prompt": "1",
        "completion": "3",
        "context": "2",
        "system": "-",
        "to": "chat",
        "system_message": "",
    }
    assert problems_of_modal(modal) == []


@given(
    st.lists(TEXT, max_size=50),
    st.dictionaries(st.sampled_from(["prompt", "completion", "context", "system"]), st.integers(0, 49)),
    TEXT,
)
@IN_FULL
def test_forms_keep_the_limits(columns: list[str], places: dict[Any, int], filename: str) -> None:
    guessed = {part: columns[place] for part, place in places.items() if place < len(columns)}
    record = a_dataset("unreadable", filename=filename)
    assert problems_of_modal(map_modal(record, columns, guessed, metadata="dataset:d12")) == []
    assert problems_of_modal(convert_modal(record, a_report(), metadata="dataset:d12")) == []


@given(DATASETS, REPORTS, anything(Difference))
@settings(IN_FULL, max_examples=80)
def test_cards_of_versions_keep_the_limits(record: Record[Dataset], report: Report, difference: Difference) -> None:
    assert problems_of_message(dataset_card(record, report, model_labels={}, difference=difference)) == []


@given(TEXT)
@IN_FULL
def test_answers_keep_the_limits(handle: str) -> None:
    assert problems_of_message(version_asked(a_dataset("accepted"))) == []
    assert problems_of_message(version_known(handle or "d1")) == []


def test_values_of_a_menu_say_which_act_and_which_dataset() -> None:
    card = dataset_card(a_dataset("accepted"), a_report(format="prompt-completion"), model_labels={})
    assert "convert_chat dataset:d12" in [option["value"] for option in buttons(card)["more"]["options"]]


@given(TEXT, st.lists(anything(Shown), max_size=5))
@IN_FULL
def test_rows_for_one_person_keep_the_limits(filename: str, rows: list[Shown]) -> None:
    assert problems_of_message(rows_shown(filename, rows)) == []


def test_rows_are_shown_with_what_is_wrong_and_those_that_are_hidden_say_why() -> None:
    rows = [Shown(17, ("Row 17 has no reply.",), "{…}"), Shown(40, ("Row 40 repeats.",), hidden="sensitive")]
    said = shown(rows_shown("tickets.csv", rows))
    assert "*Row 17.* Row 17 has no reply.\n{…}\n*Row 40.*" in said
    assert "Not shown: it seems to hold a key or personal data." in said
