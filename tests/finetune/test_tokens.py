"""Token counts equal tiktoken's on every text, with no network; ranks come from the bpe-openai wheel."""

import base64
import gzip
import hashlib
import importlib
import importlib.util
import random
import time
from functools import cache
from pathlib import Path

import pytest
import tiktoken
import tiktoken_ext.openai_public as published
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.counting import ranks, tokens
from finetune.counting.tokens import TokenCounter, estimate

ENCODINGS = ("o200k_base", "cl100k_base")

NASTY = [
    "",
    " ",
    "<|endoftext|>",
    "before<|endofprompt|>after",
    "\ud800",
    "half \udc00 of \ud83d an emoji",
    "a\x00b\x07",
    "\r\n\r\n \t\n",
    "don't WON'T we'LL I'd",
    "한국어 문장입니다. 띄어쓰기도 있고요!",
    "日本語の文章です。句読点、カタカナも。",
    "العربية עברית हिन्दी ไทย",
    "👩‍👩‍👧‍👦🏳️‍🌈🇰🇷 e\u0301 \u202ertl",
    "def f(x):\n\treturn {'a': [1, 2.5e-3]}  # 1234567890",
    "x" * 5_000,
    " " * 9_000,
    "\n" * 3_000 + "end",
    "https://example.com/a?b=c&d=%20" * 20,
    "\ufeff\u200b\u00a0\u3000",
    "\ud55c" * 700,
]


@cache
def ranks_file(encoding: str) -> bytes:
    package = importlib.util.find_spec("bpe_openai")
    assert package is not None
    assert package.origin is not None
    return gzip.decompress(Path(package.origin).with_name("data").joinpath(f"{encoding}.tiktoken.gz").read_bytes())


@cache
def reference(encoding: str) -> tiktoken.Encoding:
    pairs = (line.split() for line in ranks_file(encoding).splitlines())
    mergeable = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(
        encoding,
        pat_str=ranks.PATTERNS[encoding],
        mergeable_ranks=mergeable,
        special_tokens={"<|endoftext|>": max(mergeable.values()) + 1},
    )


def reference_count(encoding: str, text: str) -> int:
    return len(reference(encoding).encode_ordinary(text))


def nasty_text(rng: random.Random) -> str:
    """Pieces of every kind, joined at random: scripts, blanks, code, special tokens' names, halves of characters."""
    kinds = (
        lambda: "".join(chr(rng.randrange(0x20, 0x7F)) for _ in range(rng.randrange(30))),
        lambda: "".join(chr(rng.randrange(0xAC00, 0xD7A4)) for _ in range(rng.randrange(12))),
        lambda: "".join(chr(rng.randrange(0x3040, 0x30FF)) for _ in range(rng.randrange(12))),
        lambda: "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(6))),
        lambda: rng.choice(" \t\n\r\u3000\u00a0") * rng.randrange(40),
        lambda: rng.choice(NASTY[:14]),
    )
    return "".join(rng.choice(kinds)() for _ in range(rng.randrange(12)))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_ranks_are_those_tiktoken_expects(encoding: str) -> None:
    assert hashlib.sha256(ranks_file(encoding)).hexdigest() == ranks.SHA256[encoding]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_our_patterns_and_hashes_are_tiktokens_own(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, str] = {}

    def note(url: str, expected_hash: str) -> dict[bytes, int]:
        asked.update(url=url, hash=expected_hash)
        return {}

    monkeypatch.setattr(published, "load_tiktoken_bpe", note)
    definition = getattr(published, encoding)()
    assert asked == {"url": ranks.URL.format(encoding), "hash": ranks.SHA256[encoding]}
    assert definition["pat_str"] == ranks.PATTERNS[encoding]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_counts_equal_tiktokens_on_two_thousand_nasty_texts(encoding: str) -> None:
    counter = TokenCounter.load(encoding)
    rng = random.Random(20261121)
    texts = NASTY + [nasty_text(rng) for _ in range(2_000)]
    differing = [text for text in texts if counter.count(text) != reference_count(encoding, text)]
    assert counter.exact
    assert differing == []


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_counts_equal_tiktokens_on_any_text(text: str) -> None:
    assert TokenCounter.load("o200k_base").count(text) == reference_count("o200k_base", text)


@pytest.mark.parametrize("text", [" " * 1_000_000, "\n" * 1_000_000, "a" * 1_000_000, "한" * 1_000_000])
def test_a_million_characters_are_counted_at_once(text: str) -> None:
    started = time.perf_counter()
    assert TokenCounter.load("o200k_base").count(text) > 0
    assert time.perf_counter() - started < 60


@pytest.mark.filterwarnings("ignore:open_binary is deprecated:DeprecationWarning")
def test_loading_leaves_the_package_importable() -> None:
    TokenCounter.load("o200k_base")
    bpe_openai = importlib.import_module("bpe_openai")
    assert bpe_openai.get_encoding("o200k_base").encode_ordinary("hello") == reference("o200k_base").encode("hello")


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(tokens, "_packaged", nothing)
    monkeypatch.setattr(ranks, "_in_wheel", nothing)


@pytest.fixture(scope="module")
def tiktoken_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiktoken")
    name = hashlib.sha1(ranks.URL.format("o200k_base").encode()).hexdigest()
    (directory / name).write_bytes(ranks_file("o200k_base"))
    return directory


@pytest.mark.usefixtures("without_wheel")
def test_where_the_wheel_is_missing_tiktokens_cache_counts_exactly(tiktoken_cache: Path) -> None:
    counter = TokenCounter.load("o200k_base", tiktoken_cache)
    assert (counter.exact, counter.counted_with) == (True, "o200k_base")
    assert [counter.count(text) for text in NASTY] == [reference_count("o200k_base", text) for text in NASTY]
    assert counter.count("x " + " " * 1_000_000) > 7_000  # tiktoken itself panics here


@pytest.mark.usefixtures("without_wheel")
def test_where_there_are_no_ranks_the_count_says_that_it_is_an_estimate(tmp_path: Path) -> None:
    name = hashlib.sha1(ranks.URL.format("o200k_base").encode()).hexdigest()
    (tmp_path / name).write_bytes(b"not the ranks")
    for cache_directory in (None, tmp_path):
        counter = TokenCounter.load("o200k_base", cache_directory)
        assert (counter.exact, counter.counted_with) == (False, "estimate")
        assert counter.count("hello world \ud800") > 0


@pytest.mark.parametrize(
    "text",
    [
        "Please reset my password, I cannot log in since this morning and support does not answer my mails.",
        "오늘 아침부터 로그인이 되지 않습니다. 비밀번호를 다시 설정해 주세요.",
        "今朝からログインできません。パスワードを再設定してください。",
        "for (let i = 0; i < items.length; i += 1) { total += items[i].price * items[i].quantity; }",
    ],
)
def test_an_estimate_is_within_a_third(text: str) -> None:
    exact = reference_count("o200k_base", text)
    assert abs(estimate(text) - exact) <= exact / 3 + 1
