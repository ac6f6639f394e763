"""The whole workspace, wired together once."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from sandbox.answers import Answers
from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.delivery import Deliveries
from sandbox.events import Events
from sandbox.files import Files
from sandbox.interactions import Interactions
from sandbox.messages import Messages
from sandbox.outside import Outside
from sandbox.signed_http import SignedHttp
from sandbox.socket_mode import SocketMode
from sandbox.store import Store
from sandbox.switches import Switches
from sandbox.triggers import ResponseUrls, Triggers
from sandbox.views import Views
from sandbox.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Machine:
    """The parts of one running workspace. `signed_http` is None in Socket Mode."""

    config: SandboxConfig
    store: Store
    workspace: Workspace
    switches: Switches
    socket_mode: SocketMode
    signed_http: SignedHttp | None
    deliveries: Deliveries
    events: Events
    messages: Messages
    files: Files
    triggers: Triggers
    views: Views
    answers: Answers
    interactions: Interactions
    outside: Outside


def build(config: SandboxConfig) -> Machine:
    """Read the state from disk and wire the parts."""
    store = Store(config.data_dir / "workspace.jsonl")
    switches = Switches(store)
    signed_http = SignedHttp(config.events_url, config.signing_secret, store) if config.events_url else None
    socket_mode = SocketMode(store, shown=signed_http is None)
    deliveries = Deliveries(signed_http or socket_mode, store, switches, config)
    workspace = Workspace(store, Clock(last_ts(store)), config)
    events = Events(workspace, deliveries)
    messages = Messages(workspace, events)
    triggers = Triggers(config.trigger_ttl_s)
    views = Views(store, triggers)
    answers = Answers(workspace, messages, ResponseUrls())
    return Machine(
        config=config,
        store=store,
        workspace=workspace,
        switches=switches,
        socket_mode=socket_mode,
        signed_http=signed_http,
        deliveries=deliveries,
        events=events,
        messages=messages,
        files=Files(workspace, messages, events, switches, config.data_dir / "files"),
        triggers=triggers,
        views=views,
        answers=answers,
        interactions=Interactions(workspace, messages, views, triggers, answers, deliveries),
        outside=Outside(config),
    )


def machine_of(connection: HTTPConnection) -> Machine:
    """Return the workspace that a request or a WebSocket is for."""
    found: Machine = connection.app.state.machine
    return found


def last_ts(store: Store) -> str:
    """Return the latest timestamp on disk, so that a restarted clock never gives one twice."""
    return max((message["ts"] for message in store.table("message").values()), default="0.000000")
