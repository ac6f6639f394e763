"""Columns of other names: which one holds the prompt, the completion, …, guessed by name, and mapped."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from finetune.containers.table_rows import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from finetune.conversion.pairs import Converted, Object

Part = Literal["prompt", "context", "completion", "system"]
"""What a column can be: `context` is put below the prompt, such as the text that a question is about."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)

NAMES: Final[dict[Part, tuple[str, ...]]] = {
    "prompt": (
        "prompt", "question", "instruction", "query", "ask", "request", "ticket", "message", "review", "comment",
        "email", "article", "description", "source", "input", "text", "sentence", "content", "user", "human", "title",
        "subject",
        "질문", "질의", "문의", "지시", "지시문", "명령", "요청", "문제", "리뷰", "댓글", "기사", "입력", "문장",
        "텍스트", "내용", "사용자", "제목",
        "質問", "問い", "問合せ", "問い合わせ", "指示", "依頼", "問題", "レビュー", "コメント", "メール", "入力", "文",
        "テキスト", "本文", "内容", "ユーザー", "件名",
        "问题", "指令", "输入", "提问", "评论", "文本",
    ),
    "context": (
        "context", "input", "passage", "document", "background", "body",
        "지문", "문맥", "맥락", "본문", "입력", "배경",
        "文脈", "背景", "資料", "本文", "入力", "コンテキスト", "上下文", "输入",
    ),
    "completion": (
        "completion", "answer", "response", "output", "reply", "assistant", "target", "label", "category", "class",
        "summary", "translation", "gpt", "bot", "intent", "sentiment", "result",
        "답변", "답", "대답", "응답", "회답", "정답", "출력", "답장", "의도", "감정", "라벨", "레이블", "분류",
        "카테고리", "요약", "결과",
        "回答", "答え", "返答", "応答", "返信", "解答", "出力", "意図", "感情", "ラベル", "分類", "カテゴリ",
        "カテゴリー", "要約", "結果", "答案", "回复", "输出", "标签", "分类",
    ),
    "system": (
        "system", "system prompt", "persona", "role", "시스템", "시스템 메시지", "페르소나", "역할",
        "システム", "システムメッセージ", "ペルソナ", "役割", "系统",
    ),
}  # fmt: skip
"""Names that columns have, the likeliest first; a column is taken by the part that stands first and has it."""


def guess(columns: Sequence[str]) -> dict[Part, str]:
    """Return which columns seem to be which part; a part that no name speaks of is left out.

    A name is known whatever its capitals, width, blanks and underscores, and where it is part of a longer one, such as
    "customer question" and "고객 질문". Of two columns that are left, the other one is what is missing.
    """
    found: dict[Part, str] = {}
    for part in ("completion", "prompt", "system", "context"):
        free = [column for column in columns if column not in found.values()]
        if column := _named(part, free):
            found[part] = column
    rest = [column for column in columns if column not in found.values()]
    missing: list[Part] = [part for part in ("prompt", "completion") if part not in found]
    if len(columns) == len(_BOTH) and len(missing) == 1 == len(rest):
        found[missing[0]] = rest[0]
    return {part: found[part] for part in PARTS if part in found}


def column_named(columns: Sequence[str], wanted: str) -> str | None:
    """Return the column that somebody means by a name, whatever its capitals, width and blanks; None for none."""
    exact = (column for column in columns if column == wanted)
    return next(exact, next((column for column in columns if _folded(column) == _folded(wanted)), None))


def mapped(row: Object, mapping: Mapping[Part, str]) -> Converted:
    """Return the row with its columns under the names that they are mapped to; the others are left away.

    What is no text is written as one. None where the row has neither of the two that it needs.
    """
    texts = {part: _text(row.get(column)) for part, column in mapping.items()}
    if not any(column in row for part, column in mapping.items() if part in _BOTH):
        return None
    context = texts.pop("context", "")
    prompt = texts.get("prompt", "")
    asked = f"{prompt}\n\n{context}" if prompt.strip() and context.strip() else prompt or context
    return [texts | {"prompt": asked, "completion": texts.get("completion", "")}]


_BOTH: Final = frozenset({"prompt", "completion"})
_ABOUT: Final = frozenset({"id", "no", "number", "date", "time", "index", "url", "count", "language", "lang"})
"""Words in the names of columns that say something about a row, and are not what it says."""


def _named(part: Part, columns: Sequence[str]) -> str:
    folded = {column: _folded(column) for column in columns}
    for name in NAMES[part]:
        for column in columns:
            if folded[column] == name:
                return column
    for name in NAMES[part]:
        for column in columns:
            if _is_within(name, folded[column]):
                return column
    return ""


def _is_within(name: str, column: str) -> bool:
    """Return whether a column's name holds `name` as a word; in scripts without blanks, anywhere."""
    if _ABOUT & {*column.split()} or column.endswith(("번호", "날짜", "番号", "日付")):
        return False
    return name in column.split() if name.isascii() else len(name) > 1 and name in column


def _folded(column: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", column).replace("_", " ").replace("-", " ").lower().split())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return as_text(value)
