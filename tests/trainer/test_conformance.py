"""What a validating proxy and a fuzzer, given OpenAI's specification, once had to say, kept from coming back."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from tests.trainer.conftest import KEY, chat_rows

if TYPE_CHECKING:
    from tests.trainer.conftest import TrainerProcess


class Plain:
    """HTTP without an SDK that would tidy up what is sent."""

    def __init__(self, trainer: TrainerProcess) -> None:
        self._connection = HTTPConnection(trainer.client.base_url.host, trainer.client.base_url.port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> tuple[int, Any, dict[str, str]]:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind}
        self._connection.request(method, path, body, headers)
        reply = self._connection.getresponse()
        return reply.status, json.loads(reply.read()), dict(reply.getheaders())

    def send_form(self, path: str, **fields: str) -> tuple[int, Any, dict[str, str]]:
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
        ]
        parts.append('--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n{}\r\n--x--\r\n')
        return self.ask("POST", path, "".join(parts).encode(), "multipart/form-data; boundary=x")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def plain(trainer: TrainerProcess) -> Any:
    asking = Plain(trainer)
    yield asking
    asking.close()


def test_empty_list_of_files_names_its_ends_with_strings(plain: Plain) -> None:
    assert plain.ask("GET", "/v1/files?purpose=batch")[1] == {
        "object": "list", "data": [], "has_more": False, "first_id": "", "last_id": "",
    }  # fmt: skip


def test_absent_values_that_may_not_be_null_are_left_out(trainer: TrainerProcess, plain: Plain) -> None:
    file_id = trainer.upload(b"{}")
    assert {"status_details", "expires_at"}.isdisjoint(plain.ask("GET", f"/v1/files/{file_id}")[1])
    asked = {"bytes": 3, "filename": "f", "mime_type": "m", "purpose": "fine-tune"}
    assert "file" not in plain.ask("POST", "/v1/uploads", json.dumps(asked).encode())[1]


@pytest.mark.parametrize("path", ["/v1/files?order=AAA", "/v1/files?limit=0", "/v1/fine_tuning/jobs?limit=-1"])
def test_query_that_means_nothing_is_refused(plain: Plain, path: str) -> None:
    assert plain.ask("GET", path)[0] == 400


@pytest.mark.parametrize("path", ["/v1/fine_tuning/jobs", "/v1/files"])
def test_limit_beyond_the_most_gets_the_most(plain: Plain, path: str) -> None:
    assert plain.ask("GET", f"{path}?limit=111367989007")[0] == 200


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/v1/files", "TRACE", "GET, HEAD, POST"),
        ("/v1/files/file-x", "POST", "DELETE, GET, HEAD"),
        ("/v1/fine_tuning/jobs/ftjob-x/pause", "GET", "POST"),
    ],
)
def test_wrong_method_is_told_the_right_ones(plain: Plain, path: str, method: str, allowed: str) -> None:
    status, body, headers = plain.ask(method, path)
    assert (status, headers["allow"]) == (405, allowed)
    assert body["error"]["type"] == "invalid_request_error"


def test_expiry_is_read_as_an_object_too_and_ill_ones_are_refused(plain: Plain) -> None:
    made = plain.send_form("/v1/files", purpose="fine-tune", expires_after='{"anchor": "created_at", "seconds": 7200}')
    assert made[1]["expires_at"] == made[1]["created_at"] + 7200
    for ill in ('{"anchor": "x", "seconds": 7200}', '{"anchor": "created_at", "seconds": ""}', "[", "null"):
        status, body, _ = plain.send_form("/v1/files", purpose="fine-tune", expires_after=ill)
        assert status == 400
        assert body["error"]["param"].startswith("expires_after")


def test_unknown_form_field_is_refused(plain: Plain) -> None:
    status, body, _ = plain.send_form("/v1/files", purpose="fine-tune", porpoise="fine-tune")
    assert (status, body["error"]["param"]) == (400, "porpoise")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/fine_tuning/checkpoints/ft:x:y:z:ckpt-step-3/permissions"),
        ("POST", "/v1/fine_tuning/checkpoints/ft:x:y:z:ckpt-step-3/permissions"),
        ("DELETE", "/v1/fine_tuning/checkpoints/ft:x:y:z:ckpt-step-3/permissions/cp_1"),
        ("POST", "/v1/fine_tuning/alpha/graders/run"),
        ("POST", "/v1/fine_tuning/alpha/graders/validate"),
    ],
)
def test_what_is_not_here_is_refused_with_its_reason(plain: Plain, method: str, path: str) -> None:
    status, body, _ = plain.ask(method, path, b"{}")
    assert (status, body["error"]["code"]) == (400, "unsupported_endpoint")


def test_values_of_a_neighbouring_type_are_refused(trainer: TrainerProcess, plain: Plain) -> None:
    asked = {"model": "toy-gpt", "training_file": trainer.upload(chat_rows(12))}
    for ill in ({"seed": 1.5}, {"seed": 10**40}, {"metadata": {"k": 1}}, {"hyperparameters": {"n_epochs": "3"}}):
        status, body, _ = plain.ask("POST", "/v1/fine_tuning/jobs", json.dumps(asked | ill).encode())
        assert status == 400
        assert body["error"]["param"].split(".")[0] in ill
