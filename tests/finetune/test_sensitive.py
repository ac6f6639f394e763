"""Secrets and personal data are found with their rows, the value is never told, and ordinary text is left alone."""

import random
import string

import pytest

from finetune.checking.sensitive import SLICE_CHARACTERS, sensitive_rows
from tests.finetune.rows import chat, found, jsonl, message, report_of

RNG = random.Random(20261121)


def of(alphabet: str, length: int) -> str:
    """Random text, so that no test file holds what looks like a key."""
    return "".join(RNG.choices(alphabet, k=length))


WORDS = string.ascii_letters + string.digits
SECRETS = [
    "sk-proj-" + of(WORDS, 20) + "A1" + of(WORDS, 20),
    "sk-" + "T3BlbkFJ" + of(WORDS, 40),
    "sk-ant-" + "api03-" + of(WORDS, 60),
    "sk-" + "abcdefghijklmnopqrstuv" + "1234567890",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "AKIA" + "Q3EGRT" + of(string.ascii_uppercase + "234567", 10),
    "gh" + "p_" + of(WORDS, 36),
    "github" + "_pat_" + of(WORDS, 60),
    "gl" + "pat-" + of(WORDS, 18) + "7x",
    "xox" + "b-" + "123456789012-" + of(WORDS, 24),
    "AI" + "za" + of(WORDS, 33) + "9z",
    "sk" + "_live_" + of(WORDS, 24),
    "SG" + "." + of(WORDS, 22) + "." + of(WORDS, 43),
    "hf" + "_" + of(WORDS, 32) + "4b",
    "npm" + "_" + of(WORDS, 36),
    "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + of(WORDS, 43),
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow",
    "-----BEGIN " + "PRIVATE KEY-----",
    "Account" + "Key=" + of(WORDS + "+/", 86) + "==",
    "aws_secret_access_key = " + of(WORDS + "/+", 40),
    "1234567890:AA" + of(WORDS, 33),
]
IDENTITIES = [
    ("4242 4242 4242 4242", "card"),
    ("4111-1111-1111-1111", "card"),
    ("378282246310005", "card"),
    ("5555555555554444", "card"),
    ("kim.cheolsu@naver.com", "e-mail"),
    ("jane.doe@example.com", "e-mail"),
    ("yamada+shop@mail.example.jp".replace("example", "docomo"), "e-mail"),
    ("010-2345-6789", "telephone"),
    ("01023456789", "telephone"),
    ("02-312-4567", "telephone"),
    ("+82 10-2345-6789", "telephone"),
    ("090-1234-5678", "telephone"),
    ("".join(chr(0xFF00 + ord(character) - 0x20) for character in "090-1234-5678"), "telephone"),
    ("03-3581-1234", "telephone"),
    ("+81 90 1234 5678", "telephone"),
    ("(415) 864-2310", "telephone"),
    ("555-123-4567", "telephone"),
    ("415-864-2310", "telephone"),
    ("+49 30 901820", "telephone"),
    ("900101-1234568", "Korean"),
    ("9001011234568", "Korean"),
    ("211031-3876543", "Korean"),
    ("900101-1234567", "Korean"),
    ("1234-5678-9018", "Japanese"),
    ("123456789018", "Japanese"),
]
FRAMES = ["{}", "it is {}", "값은 {} 입니다", "番号は{}です。", '"key": "{}",', "({})", "말씀하신 {}"]
CLEAN = [
    "The task-force-on-international-standardisation met on 2026-11-21 at 12:30:45.",
    "Donaudampfschifffahrtsgesellschaftskapitaen and supercalifragilisticexpialidocious",
    "ISBN 978-3-16-148410-0, order 2026-0001-2345, version 1.2.3.4, 192.168.100.200",
    "sk-" + "x" * 40,
    "me@localhost, test@shop.test, git@github.com:a/b.git, logo@2x.png, noreply@company.com",
    "@dataclass, @property, a@b, price @ 3.50",
    "4242 4242 4242 4243",
    "0000 0000 0000 0000",
    "1234567890123",
    "9001011234567",
    "901301-1234568",
    "1234-5678-9012",
    "123456789018",
    "3.141592653589793238462643",
    "1,234,567,890 won",
    "call 555-0123",
    "4242 4242 4242 1116",
    "2026년 11월 21일 오후 3시 30분, 12,345,678원",
    "2026年11月21日、123,456,789円",
    "https://example.com/articles/2026/11/21/how-to-write-a-very-long-address-without-any-secret",
    "550e8400-e29b-41d4-a716-446655440000",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "-----BEGIN " + "PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_vendors_secret_is_found_in_any_surroundings(secret: str, frame: str) -> None:
    rows = sensitive_rows(["nothing here", frame.format(secret)])
    assert (1, "secret-in-data") in [(row, code) for row, code, _ in rows]
    assert 0 not in [row for row, _, _ in rows]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("value", "kind"), IDENTITIES)
def test_personal_data_is_found_and_named(value: str, kind: str, frame: str) -> None:
    near = "マイナンバー " if value == "123456789018" else ""
    rows = sensitive_rows(["nothing here", near + frame.format(value), "nor here"])
    assert [(row, code) for row, code, _ in rows] == [(1, "personal-data")]
    assert kind in rows[0][2]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert sensitive_rows([text, f"앞 {text} 뒤", f"前{text}後", f"{text} " * 3]) == []


def test_a_row_is_found_once_for_each_code_however_often_it_offends() -> None:
    text = " ".join([SECRETS[0], SECRETS[4], "kim@naver.com", "010-2345-6789", "lee@daum.net"] * 20)
    assert [(row, code) for row, code, _ in sensitive_rows(["", text, text])] == [
        (1, "personal-data"),
        (1, "secret-in-data"),
        (2, "personal-data"),
        (2, "secret-in-data"),
    ]


@pytest.mark.parametrize("place", [0, SLICE_CHARACTERS - 20, SLICE_CHARACTERS, 2 * SLICE_CHARACTERS - 5, 700_000])
def test_long_texts_are_looked_at_to_their_end(place: int) -> None:
    filler = "lorem ipsum " * 60_000
    text = f"{filler[:place]} {SECRETS[0]} {filler[place:]}"
    assert [code for _, code, _ in sensitive_rows([text])] == ["secret-in-data"]


def test_hostile_texts_do_not_hang() -> None:
    texts = [
        "a" * 300_000,
        "1" * 300_000,
        "@" * 100_000,
        "a.b@" * 50_000,
        "\x1d\n\x1d" * 1_000,
        "\ud800" * 100,
        "1-" * 100_000,
    ]
    sensitive_rows(texts)


def test_the_report_warns_with_the_row_and_never_shows_the_value() -> None:
    rows = [chat(number) for number in range(60)]
    rows[16] = chat(16, message("user", f"my key is {SECRETS[0]}"), message("assistant", "mail kim@naver.com"))
    report = report_of(jsonl(rows))
    findings = found(report)
    assert findings["secret-in-data"].rows == findings["personal-data"].rows == (17,)
    assert {findings[code].severity.value for code in ("secret-in-data", "personal-data")} == {"warning"}
    assert findings["personal-data"].hint.startswith("Row 17: an e-mail address.")
    assert SECRETS[0] not in repr(report)
    assert "naver" not in repr(report)
