"""The page of findings is what the rules say."""

from pathlib import Path

from finetune.checking.reference import document
from finetune.checking.rules import RULES

PAGE = Path(__file__).resolve().parents[2] / "docs/findings.md"


def test_the_page_is_written_from_the_rules() -> None:
    assert PAGE.read_text(encoding="utf-8") == document()


def test_the_page_has_every_code_once() -> None:
    assert all(document().count(f"| `{code}` |") == 1 for code in RULES)
