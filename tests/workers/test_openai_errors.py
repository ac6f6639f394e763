"""What a provider of OpenAI's protocol refuses, by the real SDK: in plain words, with what to do next."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.openai_errors import HOW_TO_MEND, plain_words
from workers.provider import CODE, ErrorKind, ProviderError


def refused(status: int, answer: Any) -> ProviderError:
    """Return what becomes of an answer to a request."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, json=answer))
    client = openai.OpenAI(
        api_key="key", base_url="http://provider.invalid", max_retries=0, http_client=httpx2.Client(transport=transport)
    )
    with pytest.raises(ProviderError) as raised, plain_words(), client:
        client.models.list()
    return raised.value


def error(code: Any, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": "it says why", "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, "training_not_available", ErrorKind.NOT_AVAILABLE, "may not start fine-tunes"),
        (403, "unsupported_country_region_territory", ErrorKind.NOT_AVAILABLE, "does not serve the place I run in"),
        (429, "insufficient_quota", ErrorKind.QUOTA, "no credit left"),
        (429, "billing_not_active", ErrorKind.QUOTA, "its billing is not active"),
        (400, "billing_hard_limit_reached", ErrorKind.QUOTA, "has reached the limit"),
        (401, "account_deactivated", ErrorKind.REFUSED, "has closed this account"),
        (401, "invalid_api_key", ErrorKind.REFUSED, "refused the API key"),
        (404, "model_not_found", ErrorKind.MISSING, "does not know this model"),
        (404, "fine_tune_not_found", ErrorKind.MISSING, "has no such thing"),
        (429, "rate_limit_exceeded", ErrorKind.RETRY, "asked me to wait"),
        (400, "invalid_file_format", ErrorKind.REFUSED, "refused it"),
        (413, "file_too_large", ErrorKind.REFUSED, "refused it"),
        (500, "server_error", ErrorKind.UNSURE, "The provider failed (HTTP 500)"),
        (503, None, ErrorKind.UNSURE, "The provider failed (HTTP 503)"),
    ],
)
def test_refusal_is_said_in_plain_words(status: int, code: str | None, kind: ErrorKind, words: str) -> None:
    said = refused(status, error(code))
    assert (said.kind, said.code) == (kind, code or f"http-{status}")
    assert words in said.message


@pytest.mark.parametrize("code", ["billing_not_active", "insufficient_quota"])
def test_account_that_cannot_pay_is_not_asked_again_where_only_the_type_says_so(code: str) -> None:
    """Taken for a busy provider's 429, it would be tried again for ever."""
    said = refused(429, error(None, code))
    assert (said.kind, said.code, said.is_final) == (ErrorKind.QUOTA, code, True)


def test_what_is_not_known_is_quoted() -> None:
    said = refused(400, error("of_tomorrow"))
    assert (said.code, said.said) == ("of_tomorrow", "it says why")


@pytest.mark.parametrize("code", ["Row 3 says: my parcel", "a" * 65, {"a": "row"}, ["row"]])
def test_code_that_is_no_word_is_not_recorded(code: Any) -> None:
    """A code goes into the record and the logs, where no row may stand; what the provider said is shown only."""
    said = refused(400, error(code))
    assert (said.code, said.said, str(said)) == ("unnamed", "it says why", "unnamed: The provider refused it.")


def test_code_that_is_a_number_is_a_word_as_well() -> None:
    assert refused(404, error(404)).code == "404"


CODES: list[Any] = [*HOW_TO_MEND, "of_tomorrow", None, 0, 400, {}, ["row"], "a sentence"]
ANSWERS = st.one_of(
    st.sampled_from(CODES).map(error),
    st.fixed_dictionaries({"error": st.none() | st.text() | st.lists(st.integers())}),
    st.fixed_dictionaries({"detail": st.text()}),
    st.text(),
    st.none(),
)


@given(st.integers(400, 599), ANSWERS)
def test_every_refusal_says_what_to_do_next(status: int, answer: Any) -> None:
    said = refused(status, answer)
    assert CODE.fullmatch(said.code)
    assert said.message.endswith(".")
    assert said.hint.endswith(".")
    assert len(said.said) <= 300
