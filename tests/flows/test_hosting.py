"""A model that answers only from a host paid by the hour: asked about, made once, put to sleep, paid, and woken."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

from finetune.hosting import HOUR_MS
from finetune.launch import Quote
from jobstore.blobs import Blobs
from jobstore.deliveries import Rank
from jobstore.hosting import put_to_sleep, shown
from jobstore.money import channel_account, person_account
from jobstore.store import StaleError
from sandbox.people import TEAM_ID
from tests.flows.conftest import tidy
from tests.flows.conversation import PATIENCE_S, Conversation
from tests.support.samples import a_job, a_request
from tests.support.stack import Stack
from tests.support.together_server import DEPLOY, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.stays import Stay
    from sandbox.client import Message

PRICE: Final = 3.99
CAP_MONTH_USD: Final = 500.0


@pytest.fixture(scope="module")
def together() -> Iterator[TogetherServer]:
    server = TogetherServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def hosting_stack(tmp_path_factory: pytest.TempPathFactory, together: TogetherServer) -> Iterator[Stack]:
    """A Tuneroom whose one provider hosts models by the hour."""
    variables = {
        "TUNEROOM_PROVIDER": "together",
        "TUNEROOM_TOGETHER_API_KEY": KEY,
        "TUNEROOM_TOGETHER_BASE_URL": f"{together.address}/v1",
        "TUNEROOM_MODELS": BASE,
        "TUNEROOM_CAP_MONTH_USD": str(CAP_MONTH_USD),
    }
    with Stack(tmp_path_factory.mktemp("hosting") / "home", variables=variables) as stack:
        yield stack


@pytest.fixture
def stack(hosting_stack: Stack, together: TogetherServer) -> Iterator[Stack]:
    """The Tuneroom that hosts, in order."""
    together.serving.reply = "billing"
    yield from tidy(hosting_stack)


@dataclasses.dataclass(frozen=True, slots=True)
class Trained:
    """A job of this conversation whose run is over: what the whole way to it shows is in `test_together.py`."""

    talk: Conversation
    together: TogetherServer
    card: Message
    question: Message

    @property
    def job(self) -> Record[Job]:
        """The job as it stands."""
        return self.talk.job()

    @property
    def stay(self) -> Stay:
        """Its latest stay."""
        assert self.job.data.stay is not None
        return self.job.data.stay

    def of(self, name: str) -> Conversation:
        """The same conversation, for somebody else in it."""
        return dataclasses.replace(self.talk, person=self.talk.stack.workspace.as_user(name))

    def wait(self, state: str) -> None:
        """Wait for the job to stand in a state."""
        wait_for(lambda: self.job.state == state, timeout_s=2 * PATIENCE_S)

    def says(self, text: str) -> Message:
        """Wait for the one message on its hosting to show `text`."""
        found = self.talk.notice(self.card, text)
        assert found.ts == self.question.ts
        return found

    def hosts(self) -> list[str]:
        """The hosts that this job's model has now, at the provider."""
        models = {one["id"] for one in self.together.training.models.values() if one["name"] == self.job.data.model}
        return [one["id"] for one in self.together.serving.paid() if one["modelId"] in models]

    def deployed(self) -> int:
        """How often the provider was asked for a host, by anybody."""
        seen = self.together.seen.items()
        return sum(count for (method, path), count in seen if method == "POST" and fnmatch.fnmatch(path, DEPLOY[1]))

    def age(self, ms: int) -> None:
        """Let it have become ready so much earlier, as if time had passed."""

        def aged() -> bool:
            record = self.job
            assert record.data.stay is not None
            stay = record.data.stay
            older = dataclasses.replace(stay, answers_ms=stay.answers_ms - ms, began_ms=stay.began_ms - ms)
            try:
                self.talk.stack.store.transition(record, record.state, record.having(stay=older), due_in_ms=0)
            except StaleError:  # its worker looked at it just now
                return False
            return True

        wait_for(aged)

    def spend(self) -> tuple[tuple[float, float], ...]:
        """Return what is reserved and spent this month: everybody's, the person's and the channel's."""
        store, job = self.talk.stack.store, self.job.data
        names = ("", person_account(self.talk.person.id), channel_account(job.channel))
        return tuple(store.spend(TEAM_ID, self.stay.month, name) for name in names)


@pytest.fixture
def trained(talk: Conversation, together: TogetherServer) -> Iterator[Trained]:
    """A job whose model waits to be hosted, and the question in its thread; afterwards it sleeps."""
    stack, model = talk.stack, f"acme/{talk.name}"
    together.training.add_model(model)
    free = Quote(low_usd=0, high_usd=0, epochs=1, tokens=100, prices_as_of="2026-11-15")
    request = a_request(provider="together", model=BASE, suffix=talk.name, quote=free)
    channel = stack.workspace.channel_id(talk.channel)
    contract, _ = Blobs(str(stack.home / "blobs")).put(TEAM_ID, [b'{"kind": "chat"}'])
    job = a_job(request=request, channel=channel, person=talk.person.id, title=talk.name, reserved_micros=0,
                contract=contract, model=model, cost_usd=0.0)  # fmt: skip
    ref, _ = stack.store.record(TEAM_ID, job, dedupe="", event={"type": "Recorded"})
    for state in ("uploading", "creating", "queued", "analysing", "awaiting_hosting"):
        record = stack.get(ref.id)
        said = shown(ref, channel, Rank.TERMINAL) if state == "awaiting_hosting" else []
        stack.store.transition(record, state, record.data, deliveries=said, due_in_ms=10**9)
    card = talk.card()
    made = Trained(talk, together, card, talk.notice(card, "Answering costs $3.99/h"))
    yield made
    if made.job.state == "hosted":  # or its worker would be busy with looking at it, test after test
        put_to_sleep(stack.store, made.job, talk.person.id)
        made.wait("asleep")


def test_model_is_hosted_when_confirmed_and_put_to_sleep_when_told(trained: Trained) -> None:
    talk = trained.talk
    assert trained.question.mentions(talk.person.id)
    assert "it stops after 15 idle minutes" in trained.question.text
    assert "Host 1 h, at most $3.99" in trained.question.buttons
    assert trained.hosts() == []
    talk.press(trained.question, "host_model")
    trained.wait("hosted")
    notice = trained.says("answers: it is model")

    assert len(trained.hosts()) == 1
    assert "It is hosted until" in notice.text
    assert {"Try it", "Stop hosting"} <= {*notice.buttons}
    talk.ask(talk.card("Ready."), f"{talk.name} ticket 1")
    assert "billing" in talk.answer(trained.card).text
    before = trained.spend()
    talk.press(talk.card("Ready."), "stop_hosting")
    trained.wait("asleep")
    said = trained.says("is asleep")

    assert trained.hosts() == []
    assert "of hosting." in said.text
    assert "Wake, 1 h, at most $3.99" in said.buttons
    spent = trained.stay.spent_micros / 1_000_000
    assert 0 < spent < PRICE
    for (held, booked), (left, after) in zip(before, trained.spend(), strict=True):
        assert (held - left, after - booked) == (pytest.approx(PRICE), pytest.approx(spent))
    mentions = [m for m in talk.replies(trained.card) if m.mentions(talk.person.id)]
    assert len(mentions) <= 1  # the question, which was edited, and nothing since


def test_press_that_is_delivered_again_and_again_hosts_once(trained: Trained) -> None:
    talk, before = trained.talk, trained.deployed()
    talk.stack.workspace.switch(redeliver_interactions=3)
    talk.person.click(trained.question, "host_model")
    assert "already" in talk.person.ephemeral("already").text
    trained.wait("hosted")
    # long after: what was confirmed was this stay, and no other
    talk.press(trained.says("answers: it is model"), "stop_hosting")
    trained.wait("asleep")
    talk.stack.workspace.do("redeliver", {"times": 2})
    talk.stack.workspace.wait_for_quiet(PATIENCE_S)

    assert (trained.job.state, trained.stay.number, trained.hosts()) == ("asleep", 1, [])
    assert trained.deployed() - before == 1
    audited = [entry for entry in talk.stack.store.audit(TEAM_ID) if entry.get("on") == trained.job.ref.member]
    assert [entry["act"] for entry in audited] == ["host", "stop-hosting"]


def test_kept_asleep_it_costs_nothing_and_trying_it_offers_to_wake_it(trained: Trained) -> None:
    talk, before = trained.talk, trained.deployed()
    model = "m" + trained.job.ref.id.removeprefix("j")
    talk.press(trained.question, "keep_asleep")
    trained.wait("asleep")
    talk.card("is asleep")
    talk.person.command("/tune", f"try {model} hello")
    talk.person.ephemeral(f"*{model}* is asleep. Answering costs $3.99/h")
    assert trained.deployed() == before

    talk.person.command("/tune", f"deploy {model} hours=2")
    talk.person.click(offered(talk, "Wake, 2 h, at most $7.98"), "host_model")
    trained.wait("hosted")
    woken = talk.notice(trained.card, f"*{model}* is awake")
    assert woken.mentions(talk.person.id)
    assert trained.stay.until_ms - trained.stay.began_ms == 2 * HOUR_MS


def offered(talk: Conversation, label: str) -> Message:
    """Wait for a message to the person alone that has a button of that label."""
    return talk.stack.workspace.wait_for(
        lambda w: next((m for m in w.ephemerals("mina") if label in m.buttons), None), PATIENCE_S
    )


def test_launch_form_quotes_hosting_with_the_training(talk: Conversation) -> None:
    talk.person.click(talk.report(talk.drop()), "train")
    assert "Then $3.99/h while it is hosted; I ask before that." in talk.person.view("Train").text


def test_month_cap_holds_for_hosting(trained: Trained) -> None:
    talk = trained.talk
    with talk.stack.month_spent(CAP_MONTH_USD):
        talk.press(trained.question, "host_model")
        said = talk.person.ephemeral("Hosting it may cost $3.99")
    assert "this month's cap" in said.text
    assert (trained.job.state, trained.job.data.stay) == ("awaiting_hosting", None)


def test_anybody_here_may_host_it_and_whoever_pays_may_stop_it(trained: Trained) -> None:
    jun, gil = trained.of("jun"), trained.of("gil")
    jun.press(trained.question, "host_model")
    trained.wait("hosted")
    assert trained.stay.person == jun.person.id
    notice = trained.says("answers: it is model")
    gil.press(notice, "stop_hosting")
    gil.person.ephemeral("Guests cannot use Tuneroom.")
    jun.press(notice, "stop_hosting")
    trained.wait("asleep")


def test_model_that_nobody_asks_is_put_to_sleep(trained: Trained) -> None:
    trained.talk.press(trained.question, "host_model")
    trained.wait("hosted")
    trained.age(20 * 60_000)
    trained.wait("asleep")

    assert trained.hosts() == []
    assert trained.stay.why == "idle"
    assert "Nobody asked it for a while." in trained.says("is asleep").text


def test_host_that_is_refused_is_said_and_the_model_is_kept(trained: Trained) -> None:
    talk = trained.talk
    trained.together.serving.capacity = False
    try:
        talk.press(trained.question, "host_model")
        trained.wait("asleep")
    finally:
        trained.together.serving.capacity = True
    said = talk.notice(trained.card, "could not be hosted")

    assert said.mentions(talk.person.id)
    assert "Nothing was charged" in said.text
    assert trained.stay.spent_micros == 0


def test_death_before_the_request_for_a_host_asks_a_person(trained: Trained) -> None:
    """Nobody can know that the request did not go out, so nobody sends it again without being told to."""
    talk, before = trained.talk, trained.deployed()
    talk.stack.strike("host.intended")
    talk.press(trained.question, "host_model")
    question = talk.notice(trained.card, "won't risk paying twice")

    assert question.mentions(talk.person.id)
    assert trained.deployed() == before
    talk.press(question, "start_anew")
    trained.wait("hosted")
    assert trained.deployed() - before == len(trained.hosts()) == 1


def test_death_after_the_request_for_a_host_makes_no_second_one(trained: Trained) -> None:
    talk, before = trained.talk, trained.deployed()
    talk.stack.strike("host.posted")
    talk.press(trained.question, "host_model")
    talk.stack.wait_until_struck("host.posted")
    trained.wait("hosted")

    assert trained.deployed() - before == len(trained.hosts()) == 1
    trained.says("answers: it is model")


def test_death_after_a_host_was_ended_settles_it_once(trained: Trained) -> None:
    talk = trained.talk
    talk.press(trained.question, "host_model")
    trained.wait("hosted")
    before = trained.spend()
    talk.stack.strike("host.stopped")
    talk.press(trained.says("answers: it is model"), "stop_hosting")
    talk.stack.wait_until_struck("host.stopped")
    trained.wait("asleep")

    assert trained.hosts() == []
    spent = trained.stay.spent_micros / 1_000_000
    for (held, booked), (left, after) in zip(before, trained.spend(), strict=True):
        assert (held - left, after - booked) == (pytest.approx(PRICE), pytest.approx(spent))
    assert talk.events(trained.job).count("PutToSleep") == 1


def test_question_whether_a_host_exists_can_be_answered_by_its_name(trained: Trained) -> None:
    talk, together = trained.talk, trained.together
    before = trained.deployed()
    together.lose(DEPLOY)
    together.serving.late_lists = 1_000_000
    try:
        talk.press(trained.question, "host_model")
        question = talk.notice(trained.card, "won't risk paying twice")
    finally:
        together.serving.late_lists = 0
    made = next(one for one in together.serving.deployments.values() if one["id"] in trained.hosts())
    talk.press(question, "name_run")
    form = talk.person.view("The host's id")
    refused = talk.person.submit(form, {"run": made["endpointId"]})
    assert refused.errors["run"].startswith("That is no host's id.")
    assert talk.person.submit(form, {"run": f"{made['endpointId']}/{made['id']}"}).closed
    trained.wait("hosted")

    assert trained.deployed() - before == len(trained.hosts()) == 1
