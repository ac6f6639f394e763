"""The command line: parse, call once, map the error to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from finetune.errors import OperationalError, UserError
from tuneroom import logs
from tuneroom.settings import Settings, withhold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = 64
QUEUES = ("checks", "runs", "prompts")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["check"]:  # the one command that reads no settings and must start fast
        from tuneroom import check  # noqa: PLC0415

        return check.main(arguments[1:])
    if arguments[:1] == ["trainer"]:  # a program of its own, that knows nothing of ours
        os.execv(sys.executable, [sys.executable, "-P", "-m", *arguments])  # noqa: S606
    try:
        parsed = _parser().parse_args(arguments)
        settings = Settings.from_environment()
        logs.configure(settings.log_level, settings.secrets)
        command: Callable[[Settings, argparse.Namespace], int] = parsed.command
        return command(settings, parsed)
    except UserError as error:
        sys.stderr.write(f"tuneroom: {error.message} {error.hint}\n")
        return USAGE
    except OperationalError as error:
        sys.stderr.write(f"tuneroom: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tuneroom", description="Fine-tuning from a Slack channel.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    sandbox = commands.add_parser("sandbox", help="run everything on this machine, with no account anywhere")
    sandbox.add_argument("--fresh", action="store_true", help="forget what earlier runs left")
    sandbox.add_argument("--play", action="store_true", help="act the whole story by itself, print it, and end")
    sandbox.add_argument(
        "--real", default="", metavar="slack,openai,redis", help="use these services from the environment"
    )
    sandbox.add_argument("--port", type=int, default=3999, help="where the page is (0: any free port)")
    sandbox.add_argument("--home", default="", help="where everything is kept (TUNEROOM_HOME)")
    sandbox.set_defaults(command=_sandbox)
    commands.add_parser("bot", help="listen to Slack, fetch files, send messages").set_defaults(command=_bot)
    worker = commands.add_parser("worker", help="check, upload, create, analyse, probe, answer")
    worker.add_argument(
        "--queue", choices=QUEUES, help="work on one queue in this process; without it, one child a queue"
    )
    worker.set_defaults(command=_worker)
    commands.add_parser("follower", help="follow runs and ring again").set_defaults(command=_follower)
    doctor = commands.add_parser("doctor", help="look at everything the product needs, and say how to mend it")
    doctor.add_argument("--json", action="store_true", help="print one object")
    doctor.set_defaults(command=_doctor)
    healthy = commands.add_parser("healthy", help="ask the processes of this machine how they are; for health checks")
    healthy.add_argument("process", nargs="*", help="bot, worker, follower; without one, any that answers")
    healthy.set_defaults(command=_healthy)
    manifest = commands.add_parser("manifest", help="the Slack app: a file, or a link that fills in Slack's form")
    manifest.add_argument("--link", action="store_true", help="print the link")
    manifest.add_argument("--http", default="", metavar="https://HOST", help="for signed HTTP in place of Socket Mode")
    manifest.add_argument("--reasons", action="store_true", help="print why each scope is asked for")
    manifest.set_defaults(command=_manifest)
    split = commands.add_parser("split", help="divide a dataset into training, validation and test rows")
    split.add_argument("file", metavar="FILE", help="the dataset")
    split.add_argument("--valid", metavar="PERCENT", help="of the rows, for validation; or none")
    split.add_argument("--test", metavar="PERCENT", help="of the rows, for the test set; or none")
    split.add_argument("--seed", metavar="NUMBER", help="the same one gives the same parts")
    split.add_argument("--out", default="", metavar="FOLDER", help="where the parts go; beside the file without it")
    split.set_defaults(command=_split)
    templates = commands.add_parser("templates", help="datasets to begin from, for eight kinds of work")
    templates.add_argument("name", metavar="NAME", nargs="?", default="", help="say more of this one")
    templates.add_argument("--out", default="", metavar="FILE", help="write its rows into a new file")
    templates.set_defaults(command=_templates)
    rescue = commands.add_parser("rescue", help="list, save and quote elsewhere the fine-tunes that exist already")
    rescue.add_argument("--out", default="", metavar="FOLDER", help="save what the provider still has of them there")
    rescue.add_argument("--provider", default="", metavar="NAME", help="of this one only; without it, of all")
    rescue.add_argument("--since", default="", metavar="DATE", help="only what was created on that day or later")
    rescue.add_argument("--json", action="store_true", help="print one object")
    rescue.set_defaults(command=_rescue)
    commands.add_parser("trainer", help="a provider of our own: OpenAI's protocol over real training", add_help=False)
    commands.add_parser("check", help="check a dataset; needs no server", add_help=False)
    return parser


def _sandbox(settings: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom import sandbox_command  # noqa: PLC0415 - each command loads only what it needs

    return sandbox_command.run(settings, parsed)


def _bot(settings: Settings, _: argparse.Namespace) -> int:
    from bot.signed_http import serve_http  # noqa: PLC0415
    from bot.socket_mode import serve_socket_mode  # noqa: PLC0415
    from tuneroom import health, wiring  # noqa: PLC0415

    if not settings.slack_bot_token:
        raise UserError(
            "no-token",
            "SLACK_BOT_TOKEN is not set.",
            "Set it to the bot's token (xoxb-…), or try ./run tuneroom sandbox.",
        )
    if not settings.slack_app_token and not settings.slack_signing_secret:
        raise UserError(
            "no-way-in",
            "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set, so Slack cannot reach the bot.",
            "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for signed HTTP.",
        )
    withhold("SLACK_")
    desk = wiring.desk(settings)
    with health.serving(settings, "bot", desk.pulse):
        if settings.slack_app_token:
            serve_socket_mode(desk, token=settings.slack_bot_token, app_token=settings.slack_app_token)
        else:
            serve_http(
                desk,
                token=settings.slack_bot_token,
                signing_secret=settings.slack_signing_secret,
                host=settings.http_host,
                port=settings.http_port,
            )
    return 0


def _worker(settings: Settings, parsed: argparse.Namespace) -> int:
    if parsed.queue:
        from tuneroom import tasks  # noqa: PLC0415

        tasks.work(parsed.queue, settings.redis_url)
        return 0
    from tuneroom import worker_command  # noqa: PLC0415

    return worker_command.run(settings, QUEUES)


def _follower(settings: Settings, _: argparse.Namespace) -> int:
    from tuneroom import follower_command  # noqa: PLC0415

    return follower_command.run(settings)


def _doctor(settings: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom.doctor import command  # noqa: PLC0415

    return command.run(settings, as_json=parsed.json)


def _healthy(settings: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom import healthy_command  # noqa: PLC0415

    return healthy_command.run(settings, parsed.process)


def _manifest(_: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom import manifest_command  # noqa: PLC0415

    return manifest_command.run(parsed)


def _split(_: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom import split_command  # noqa: PLC0415

    return split_command.run(parsed)


def _templates(_: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom import templates_command  # noqa: PLC0415

    return templates_command.run(parsed)


def _rescue(settings: Settings, parsed: argparse.Namespace) -> int:
    from tuneroom.rescue import command  # noqa: PLC0415

    return command.run(settings, parsed)
