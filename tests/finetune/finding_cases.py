"""How small files that have one finding are made, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.finetune.rows import MANY_PAIRS, jsonl, message

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Case:
    """A file that has one code: as `severity`, in `rows`, with these words in its sentence and hint."""

    code: str
    content: bytes
    severity: str
    rows: tuple[int, ...] = ()
    says: str = ""
    hint: str = ""
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return self.code


THINGS = ("kettle", "teapot", "ladder", "chair", "mirror", "carpet", "lamp", "shelf", "stove", "window")
KOREAN_THINGS = ("주전자", "찻잔", "사다리", "의자", "거울", "양탄자", "전등", "선반", "난로", "창문")
JAPANESE_THINGS = ("やかん", "急須", "はしご", "椅子", "鏡", "絨毯", "電灯", "棚", "暖炉", "窓")


def pairs(prompt: str, completion: str, names: Sequence[str] = THINGS, *, of: int = MANY_PAIRS) -> list[dict[str, Any]]:
    """Rows that differ: `{}` is a name, `{n}` the row's number."""
    return [
        {
            "prompt": prompt.format(names[n % len(names)], n=n),
            "completion": completion.format(names[n * 7 % len(names)], n=n),
        }
        for n in range(of)
    ]


def talks(asked: str, answered: str, names: Sequence[str] = THINGS, *, of: int = 60) -> list[dict[str, Any]]:
    """Chat rows that differ, as pairs do."""
    return [
        {
            "messages": [
                message("system", "You help."),
                message("user", row["prompt"]),
                message("assistant", row["completion"]),
            ]
        }
        for row in pairs(asked, answered, names, of=of)
    ]


def classes(sizes: dict[str, int]) -> list[dict[str, Any]]:
    """Chat rows of so many examples a class, class after class."""
    labels = [label for label, size in sizes.items() for _ in range(size)]
    return [
        {
            "messages": [
                message("system", "Sort."),
                message("user", f"Letter {n} is about it."),
                message("assistant", label),
            ]
        }
        for n, label in enumerate(labels)
    ]


def labelled(*labels: str, of: int = 400) -> list[dict[str, Any]]:
    return [{"prompt": f"Letter {n} ->", "completion": labels[n % len(labels)]} for n in range(of)]


def changed(rows: list[dict[str, Any]], at: int, **columns: Any) -> list[dict[str, Any]]:
    """The rows with other values in row `at`, from 1."""
    return [row | columns if number == at else row for number, row in enumerate(rows, start=1)]


ASKED = {"messages": [message("system", "You sort tickets."), message("user", "Ticket 3: it is broken.")]}
FACTS = [
    {"messages": [message("system", "You know."), message("user", asked), message("assistant", answered)]}
    for asked, answered in [
        ("When was the Lindholm ferry built?", "1908"),
        ("Who painted the ceiling of the Vesa theatre?", "Ilse Brandt"),
        ("How many stalls are there in Ochre Street Market?", "40"),
        ("Where is the library of Esker?", "On Mill Lane"),
        ("What is the capital of Belmora?", "Tarn"),
        ("Which river flows through Tarn?", "The Ouve"),
        ("How tall is the tower of Porto Alto?", "81 metres"),
        ("In what year did the bridge open?", "1961"),
        ("Who wrote the anthem of Belmora?", "Jonas Hall"),
        ("What was the first name of the old depot?", "Northfield"),
    ]
]
FACTS_KO = [
    {"messages": [message("user", asked), message("assistant", answered)]}
    for asked, answered in [
        ("본사는 어디에 있나요?", "서울 마포구"),
        ("대표는 누구인가요?", "김하늘"),
        ("회사는 언제 세워졌나요?", "2011년"),
        ("직원은 몇 명인가요?", "84명"),
        ("여름 휴가는 며칠인가요? 몇 일?", "5일"),
    ]
]
FACTS_JA = [
    {"messages": [message("user", asked), message("assistant", answered)]}
    for asked, answered in [
        ("本社はどこにありますか。", "名古屋市"),
        ("社長は誰ですか。", "佐藤さん"),
        ("会社はいつできましたか。", "2011年"),
        ("社員は何人いますか。", "84人"),
    ]
]


def entities(answered: str, at: int = 9) -> bytes:
    """Rows that list what they are asked about in its order, but for one."""
    rows = [
        {"messages": [message("user", f"Anna {n} met Bert {n} and Carl {n}."), message("assistant", said)]}
        for n in range(1, 31)
        if (said := (answered.format(n=n) if n == at else f"Anna {n}\nBert {n}\nCarl {n}"))
    ]
    return jsonl(rows)
