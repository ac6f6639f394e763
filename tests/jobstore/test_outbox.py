"""Promise 5: one sender a channel, an attempt recorded before it is made, a card as a pair of versions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from jobstore.connections import connect
from jobstore.deliveries import Delivery, Rank, Shape, card, post
from jobstore.outbox import Attempt, Outbox, Outcome, Side, Turn
from jobstore.records import Ref
from jobstore.states import Kind
from tests.support.samples import CHANNEL, TEAM, a_delivery, a_job, recorded
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from jobstore.connections import Redis
    from jobstore.store import Store

LEASE = "tuneroom:{T1}:lease:C1"


@pytest.fixture
def put(store: Store) -> Callable[..., None]:
    """Ask for deliveries, as any transition does."""

    def ask(*deliveries: Delivery) -> None:
        recorded(store, a_job(), deliveries=deliveries)

    return ask


def taken(outbox: Outbox) -> Turn:
    """A turn on a channel that has something due."""
    turn = outbox.take(TEAM)
    assert turn is not None
    return turn


def begun(outbox: Outbox, turn: Turn, **options: Any) -> Attempt:
    """The next attempt."""
    attempt = outbox.begin(turn, **options)
    assert attempt is not None
    return attempt


def drain(outbox: Outbox, turn: Turn) -> list[str]:
    """Send all there is; return what was sent, in order."""
    sent: list[str] = []
    while (attempt := outbox.begin(turn)) is not None:
        sent.append(attempt.id)
        assert outbox.end(turn, attempt, Outcome.SENT, ts=f"{len(sent)}.0")
    return sent


def lapse(peek: redis.Redis, channel: str = CHANNEL) -> None:
    """Let a channel's lease run out."""
    peek.hset(f"tuneroom:{{T1}}:lease:{channel}", "until", 1)
    peek.zadd("tuneroom:{T1}:channels", {channel: 1})


def test_delivery_reaches_the_sender_as_it_was_asked_for(outbox: Outbox, put: Callable[..., None]) -> None:
    args = {"empty": [], "nested": {"list": [1, []]}, "big": 12345678901234567, "small": 0.1234567890123456}
    put(a_delivery("n", view="answer", ref="prompt:p1", args=args, thread_ts="9.9"))
    attempt = begun(outbox, taken(outbox))
    assert (attempt.id, attempt.channel, attempt.kind, attempt.view) == ("n", CHANNEL, Shape.POST, "answer")
    assert (attempt.ref, attempt.args, attempt.thread_ts, attempt.ts) == ("prompt:p1", args, "9.9", "")
    assert (attempt.wanted, attempt.attempts, attempt.was_unsure) == (1, 1, False)


def test_channel_has_one_sender(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("a"))
    turn = taken(outbox)
    put(a_delivery("b"))
    assert outbox.take(TEAM) is None
    assert drain(outbox, turn) == ["a", "b"]
    assert outbox.leave(turn)
    assert outbox.take(TEAM) is None, "nothing is left to send"


def test_channels_go_to_different_senders(redis_url: str, outbox: Outbox, put: Callable[..., None]) -> None:
    put(*[a_delivery(f"n{number}", channel=f"C{number}") for number in range(6)])

    def take(_: int) -> str:
        connection = connect(redis_url)
        try:
            turn = Outbox(connection).take(TEAM)
            return turn.channel if turn else ""
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        channels = list(pool.map(take, range(12)))
    assert sorted(channels) == [""] * 6 + [f"C{number}" for number in range(6)]


def test_lost_lease_cannot_begin_or_end_or_note(outbox: Outbox, put: Callable[..., None], peek: redis.Redis) -> None:
    put(a_delivery("a"))
    stale = taken(outbox)
    attempt = begun(outbox, stale)
    lapse(peek)
    fresh = taken(outbox)
    assert fresh.token > stale.token
    assert not outbox.end(stale, attempt, Outcome.SENT, ts="1.1")
    assert not outbox.note_file(stale, attempt, "F1")
    assert outbox.begin(stale) is None
    assert not outbox.leave(stale)
    assert outbox.ts(TEAM, "a") == ""
    assert begun(outbox, fresh).was_unsure, "the stale sender may have got through"


def test_beginning_renews_the_lease(outbox: Outbox, put: Callable[..., None], peek: redis.Redis) -> None:
    put(a_delivery("a"), a_delivery("b"))
    turn = taken(outbox)
    peek.hset(LEASE, "until", 1)
    outbox.end(turn, begun(outbox, turn), Outcome.SENT, ts="1.1")
    peek.zadd("tuneroom:{T1}:channels", {CHANNEL: 1})
    begun(outbox, turn)
    assert float(peek.hget(LEASE, "until") or 0) == peek.zscore("tuneroom:{T1}:channels", CHANNEL)
    assert outbox.take(TEAM) is None


def test_dead_sender_is_replaced_when_its_lease_lapses(connection: Redis, put: Callable[..., None]) -> None:
    outbox = Outbox(connection, lease_s=0.04)
    put(a_delivery("a"))
    first = begun(outbox, taken(outbox))
    turn = wait_for(lambda: outbox.take(TEAM))
    assert turn is not None
    again = begun(outbox, turn)
    assert (again.id, again.was_unsure, again.attempts) == (first.id, True, 2)


def test_terminal_before_milestone_before_progress(outbox: Outbox, put: Callable[..., None]) -> None:
    ranks = [Rank.PROGRESS, Rank.MILESTONE, Rank.TERMINAL]
    put(*[a_delivery(f"{rank.name}{number}", rank=rank) for number in range(2) for rank in ranks])
    assert drain(outbox, taken(outbox)) == [
        *("TERMINAL0", "TERMINAL1", "MILESTONE0", "MILESTONE1", "PROGRESS0", "PROGRESS1"),
    ]


def test_parent_before_reply_whatever_their_ranks(outbox: Outbox, put: Callable[..., None]) -> None:
    put(
        a_delivery("root", rank=Rank.PROGRESS),
        a_delivery("middle", rank=Rank.MILESTONE, parent="root"),
        a_delivery("leaf", rank=Rank.TERMINAL, parent="middle"),
    )
    turn = taken(outbox)
    for name, parent_ts in (("root", ""), ("middle", "root.ts"), ("leaf", "middle.ts")):
        attempt = begun(outbox, turn)
        assert (attempt.id, attempt.thread_ts) == (name, parent_ts)
        assert attempt.rank is Rank.TERMINAL, "whoever keeps urgent news waiting is as urgent"
        outbox.end(turn, attempt, Outcome.SENT, ts=f"{name}.ts")
    assert outbox.begin(turn) is None


def test_parent_that_may_have_got_through_is_looked_up_before_its_reply(
    outbox: Outbox, put: Callable[..., None]
) -> None:
    put(a_delivery("root", rank=Rank.PROGRESS), a_delivery("reply", rank=Rank.TERMINAL, parent="root"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.UNSURE)
    again = begun(outbox, turn)
    assert (again.id, again.was_unsure) == ("root", True)


def test_reply_to_a_parent_that_is_dead_or_unknown_is_sent_all_the_same(
    outbox: Outbox, put: Callable[..., None]
) -> None:
    put(a_delivery("root"), a_delivery("reply", parent="root"), a_delivery("orphan", parent="never", thread_ts="9.9"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.DEAD, reason="channel_not_found")
    reply = begun(outbox, turn)
    assert (reply.id, reply.thread_ts) == ("reply", "")
    outbox.end(turn, reply, Outcome.SENT, ts="1.1")
    orphan = begun(outbox, turn)
    assert (orphan.id, orphan.thread_ts) == ("orphan", "9.9")


def test_post_is_made_once_however_often_it_is_asked_for(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("a"))
    put(a_delivery("a"))
    turn = taken(outbox)
    assert drain(outbox, turn) == ["a"]
    put(a_delivery("a"))
    assert outbox.begin(turn) is None


def test_delivery_of_no_record_is_put_once(outbox: Outbox) -> None:
    hello = a_delivery("hello:C1", view="hello", ref="", args={"to": "U1"})
    outbox.put(TEAM, hello)
    outbox.put(TEAM, hello)
    turn = taken(outbox)
    attempt = begun(outbox, turn)
    assert (attempt.id, attempt.ref, attempt.args, attempt.rank) == ("hello:C1", "", {"to": "U1"}, Rank.MILESTONE)
    outbox.end(turn, attempt, Outcome.SENT, ts="1.1")
    assert outbox.begin(turn) is None


CARD = card(Ref(TEAM, Kind.JOB, "j1"), channel=CHANNEL, rank=Rank.PROGRESS)


def test_ten_edits_wanted_are_one_shown(outbox: Outbox, put: Callable[..., None]) -> None:
    for _ in range(10):
        put(CARD)
    turn = taken(outbox)
    attempt = begun(outbox, turn)
    assert (attempt.kind, attempt.wanted) == (Shape.CARD, 10)
    outbox.end(turn, attempt, Outcome.SENT, ts="1.1")
    assert outbox.begin(turn) is None


def test_card_wanted_anew_while_it_was_sent_is_sent_again(outbox: Outbox, put: Callable[..., None]) -> None:
    put(CARD)
    turn = taken(outbox)
    first = begun(outbox, turn)
    put(CARD)
    outbox.end(turn, first, Outcome.SENT, ts="1.1")
    second = begun(outbox, turn)
    assert (second.id, second.wanted, second.ts, second.was_unsure) == (CARD.id, 2, "1.1", False)
    outbox.end(turn, second, Outcome.SENT)
    assert outbox.begin(turn) is None
    assert outbox.ts(TEAM, CARD.id) == "1.1"


def test_card_that_becomes_urgent_moves_ahead(outbox: Outbox, put: Callable[..., None]) -> None:
    put(CARD, a_delivery("note"), card(CARD.ref, channel=CHANNEL, rank=Rank.TERMINAL))
    put(CARD)
    turn = taken(outbox)
    first = begun(outbox, turn)
    assert (first.id, first.rank) == (CARD.id, Rank.TERMINAL)
    outbox.end(turn, first, Outcome.SENT, ts="1.1")
    assert drain(outbox, turn) == ["note"]


def test_edits_can_be_left_out_while_their_bucket_is_empty(outbox: Outbox, put: Callable[..., None]) -> None:
    put(card(CARD.ref, channel=CHANNEL, rank=Rank.TERMINAL))
    turn = taken(outbox)
    assert begun(outbox, turn, without=Side.EDITS).id == CARD.id, "a card's first showing is no edit"
    outbox.end(turn, begun(outbox, turn), Outcome.SENT, ts="1.1")
    put(card(CARD.ref, channel=CHANNEL, rank=Rank.TERMINAL), a_delivery("note"))
    note = begun(outbox, turn, without=Side.EDITS)
    assert note.id == "note"
    outbox.end(turn, note, Outcome.SENT, ts="2.1")
    assert outbox.begin(turn, without=Side.EDITS) is None
    assert begun(outbox, turn).id == CARD.id


def test_posts_can_be_left_out_while_their_bucket_is_empty(outbox: Outbox, put: Callable[..., None]) -> None:
    put(CARD)
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.SENT, ts="1.1")
    put(a_delivery("note", rank=Rank.TERMINAL), CARD)
    edit = begun(outbox, turn, without=Side.POSTS)
    assert (edit.id, edit.side) == (CARD.id, Side.EDITS)
    outbox.end(turn, edit, Outcome.SENT)
    assert outbox.begin(turn, without=Side.POSTS) is None
    assert begun(outbox, turn).side is Side.POSTS


def test_edit_waits_since_its_oldest_version_that_is_not_shown(
    outbox: Outbox, put: Callable[..., None], peek: redis.Redis
) -> None:
    key = f"tuneroom:{{T1}}:delivery:{CARD.id}"
    put(CARD)
    peek.hset(key, "waiting_ms", 1000)
    put(CARD)
    turn = taken(outbox)
    first = begun(outbox, turn)
    assert first.waiting_ms == 1000
    put(CARD)
    outbox.end(turn, first, Outcome.SENT, ts="1.1")
    assert begun(outbox, turn).waiting_ms > first.put_ms - 1, "what came before is shown"


def test_what_is_put_off_is_passed_over_and_opens_its_channel_in_time(
    outbox: Outbox, put: Callable[..., None], peek: redis.Redis
) -> None:
    put(a_delivery("broken"), a_delivery("whole"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.LATER, later_in_ms=3_600_000)
    assert drain(outbox, turn) == ["whole"]
    outbox.leave(turn)
    later_ms = int(peek.hget("tuneroom:{T1}:delivery:broken", "later_ms") or 0)
    assert peek.zscore("tuneroom:{T1}:channels", CHANNEL) == later_ms
    put(a_delivery("new"))
    turn = taken(outbox)
    assert drain(outbox, turn) == ["new"], "and nothing else is taken for due"
    outbox.leave(turn, due_in_ms=60_000)
    assert (peek.zscore("tuneroom:{T1}:channels", CHANNEL) or 0) < later_ms, "the sooner of the two"


def test_what_was_put_off_counts_and_is_tried_again(
    outbox: Outbox, put: Callable[..., None], peek: redis.Redis
) -> None:
    put(a_delivery("broken"))
    turn = taken(outbox)
    for attempts in range(1, 4):
        attempt = begun(outbox, turn)
        assert (attempt.attempts, attempt.was_unsure) == (attempts, False)
        outbox.end(turn, attempt, Outcome.LATER, later_in_ms=3_600_000)
        assert outbox.begin(turn) is None
        peek.hset("tuneroom:{T1}:delivery:broken", "later_ms", 1)


def test_reply_waits_with_the_parent_that_is_put_off(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("root"), a_delivery("reply", parent="root", rank=Rank.TERMINAL), a_delivery("other"))
    turn = taken(outbox)
    root = begun(outbox, turn)
    outbox.end(turn, root, Outcome.LATER, later_in_ms=3_600_000)
    assert (root.id, drain(outbox, turn)) == ("root", ["other"])


def test_what_may_have_got_through_is_looked_up_though_it_was_put_off(
    outbox: Outbox, put: Callable[..., None], peek: redis.Redis
) -> None:
    put(a_delivery("a"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.UNSURE)
    outbox.end(turn, begun(outbox, turn), Outcome.LATER, later_in_ms=3_600_000)
    peek.hset("tuneroom:{T1}:delivery:a", "later_ms", 1)
    assert begun(outbox, turn).was_unsure


def test_attempt_that_was_surely_not_made_is_not_looked_up(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("a"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.AGAIN)
    again = begun(outbox, turn)
    assert (again.id, again.was_unsure, again.attempts) == ("a", False, 1)


def test_what_may_have_got_through_stays_unsure_until_it_is_settled(outbox: Outbox, put: Callable[..., None]) -> None:
    """A look-up that was itself turned away proves nothing about the post before it."""
    put(a_delivery("a"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.UNSURE)
    unsure = begun(outbox, turn)
    assert unsure.was_unsure
    outbox.end(turn, unsure, Outcome.AGAIN)
    still = begun(outbox, turn)
    assert (still.was_unsure, still.attempts) == (True, 2), "what was not made does not count"
    outbox.end(turn, still, Outcome.SENT, ts="1.1")
    assert outbox.begin(turn) is None


def test_dead_letter_does_not_block_the_head(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("bad"), a_delivery("good"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.DEAD, reason="invalid_blocks")
    assert drain(outbox, turn) == ["good"]
    assert outbox.dead_letters(TEAM) == [{"delivery": "bad", "reason": "invalid_blocks"}]


def test_card_that_died_is_tried_as_often_as_any_when_it_is_wanted_anew(
    outbox: Outbox, put: Callable[..., None]
) -> None:
    put(CARD)
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.DEAD, reason="not made")
    put(CARD)
    attempt = begun(outbox, turn)
    assert (attempt.id, attempt.attempts, attempt.was_unsure) == (CARD.id, 1, False)


def test_delivery_whose_record_expired_does_not_block_the_head(
    outbox: Outbox, put: Callable[..., None], peek: redis.Redis
) -> None:
    put(a_delivery("gone"), a_delivery("here"))
    peek.delete("tuneroom:{T1}:delivery:gone")
    turn = taken(outbox)
    assert drain(outbox, turn) == ["here"]
    assert outbox.pending(TEAM) == 0


def test_file_is_remembered_before_its_upload_is_completed(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("chart", kind=Shape.FILE))
    turn = taken(outbox)
    attempt = begun(outbox, turn)
    assert outbox.note_file(turn, attempt, "F7")
    outbox.end(turn, attempt, Outcome.UNSURE)
    again = begun(outbox, turn)
    assert (again.file, again.was_unsure) == ("F7", True)


def test_left_channel_waits_as_long_as_it_was_told(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("a"))
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.AGAIN)
    outbox.leave(turn, due_in_ms=40)
    assert outbox.take(TEAM) is None
    assert wait_for(lambda: outbox.take(TEAM)) is not None


def test_leaving_does_not_put_off_what_was_put_meanwhile(outbox: Outbox, put: Callable[..., None]) -> None:
    put(CARD)
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.AGAIN)
    assert outbox.begin(turn, without=Side.EDITS) is not None
    put(a_delivery("urgent", rank=Rank.TERMINAL))
    outbox.leave(turn, due_in_ms=60_000)
    assert begun(outbox, taken(outbox)).id == "urgent"


def test_leaving_waits_where_what_was_put_meanwhile_has_been_seen(outbox: Outbox, put: Callable[..., None]) -> None:
    """Or a channel that cannot be served would be taken and left, over and over, without a pause."""
    put(a_delivery("a"))
    turn = taken(outbox)
    put(a_delivery("b"))
    outbox.end(turn, begun(outbox, turn), Outcome.AGAIN)
    outbox.leave(turn, due_in_ms=60_000)
    assert outbox.take(TEAM) is None


def test_something_new_opens_a_channel_that_was_left_waiting(outbox: Outbox, put: Callable[..., None]) -> None:
    put(a_delivery("a"))
    turn = taken(outbox)
    outbox.leave(turn, due_in_ms=60_000)
    put(a_delivery("urgent", rank=Rank.TERMINAL))
    assert begun(outbox, taken(outbox)).id == "urgent"


def test_card_wanted_anew_while_it_waits_for_its_turn_leaves_the_channel_be(
    outbox: Outbox, put: Callable[..., None]
) -> None:
    """Or a job that reports each second has its channel looked at each second, for a token that is not there."""
    put(CARD)
    turn = taken(outbox)
    outbox.end(turn, begun(outbox, turn), Outcome.AGAIN)
    outbox.leave(turn, due_in_ms=60_000)
    put(CARD)
    assert outbox.take(TEAM) is None
    put(card(CARD.ref, channel=CHANNEL, rank=Rank.TERMINAL))
    attempt = begun(outbox, taken(outbox))
    assert (attempt.id, attempt.wanted, attempt.rank) == (CARD.id, 3, Rank.TERMINAL)


def test_sender_is_woken_by_what_is_put(outbox: Outbox, put: Callable[..., None], peek: redis.Redis) -> None:
    with peek.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe("tuneroom:{T1}:wake:sender")
        wait_for(lambda: peek.pubsub_numsub("tuneroom:{T1}:wake:sender")[0][1])
        put(a_delivery("a"))
        message = wait_for(lambda: listener.get_message(timeout=1))
    assert message is not None
    assert message["data"] == CHANNEL


def test_deliveries_expire(outbox: Outbox, put: Callable[..., None], peek: redis.Redis) -> None:
    put(CARD, a_delivery("a"))
    assert all(0 < peek.ttl(f"tuneroom:{{T1}}:delivery:{name}") <= 90 * 86400 for name in (CARD.id, "a"))


def test_crowd_of_senders_sends_everything_once(redis_url: str, outbox: Outbox, put: Callable[..., None]) -> None:
    wanted = [a_delivery(f"n{number}", channel=f"C{number % 5}") for number in range(60)]
    put(*wanted)

    def send(_: int) -> list[str]:
        connection: Redis = connect(redis_url)
        mine, sent = Outbox(connection), []
        while mine.pending(TEAM):
            if (turn := mine.take(TEAM)) is not None:
                sent += drain(mine, turn)
                mine.leave(turn)
        connection.close()
        return sent

    with ThreadPoolExecutor(4) as pool:
        sent = [name for names in pool.map(send, range(4)) for name in names]
    assert sorted(sent) == sorted(delivery.id for delivery in wanted)


def test_post_about_a_record_hangs_below_its_card() -> None:
    ref = Ref(TEAM, Kind.JOB, "j1")
    reply = post(ref, "unclear", channel=CHANNEL, rank=Rank.TERMINAL, once="i1")
    assert (reply.id, reply.parent, reply.kind) == ("unclear:job:j1:i1", CARD.id, Shape.POST)
    assert post(ref, "ready", channel=CHANNEL, rank=Rank.TERMINAL).id == "ready:job:j1"


BUCKET = "update"


def test_bucket_is_shared_by_all_who_take(redis_url: str, outbox: Outbox) -> None:
    def take(_: int) -> int:
        connection = connect(redis_url)
        try:
            return int(Outbox(connection).take_token(TEAM, BUCKET, rate_per_min=0.1, burst=5) == 0)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(24))) == 5
    assert outbox.take_token(TEAM, "other", rate_per_min=0.1, burst=5) == 0


def test_bucket_says_how_long_to_wait_and_means_it(outbox: Outbox, store: Store) -> None:
    rate_per_min = 600  # one each 100 ms
    assert outbox.take_token(TEAM, BUCKET, rate_per_min=rate_per_min, burst=1) == 0
    wait_ms = outbox.take_token(TEAM, BUCKET, rate_per_min=rate_per_min, burst=1)
    assert 0 < wait_ms <= 100
    ends_ms = store.now_ms() + wait_ms
    wait_for(lambda: store.now_ms() >= ends_ms)
    assert outbox.take_token(TEAM, BUCKET, rate_per_min=rate_per_min, burst=1) == 0


def test_bucket_saves_up_no_more_than_its_burst(outbox: Outbox, peek: redis.Redis) -> None:
    def take() -> bool:
        return outbox.take_token(TEAM, BUCKET, rate_per_min=0.1, burst=3) == 0

    assert take()
    peek.hset(f"tuneroom:{{T1}}:bucket:{BUCKET}", "since", 1)
    assert [take() for _ in range(4)] == [True, True, True, False]


def test_reserve_is_left_for_the_more_urgent(outbox: Outbox) -> None:
    def take(reserve: float) -> bool:
        return outbox.take_token(TEAM, BUCKET, rate_per_min=0.1, burst=5, reserve=reserve) == 0

    assert [take(3), take(3), take(3)] == [True, True, False]
    assert [take(0), take(0), take(0), take(0)] == [True, True, True, False]


def test_reserve_that_lets_nothing_through_is_refused(outbox: Outbox) -> None:
    with pytest.raises(ValueError, match="never let anything through"):
        outbox.take_token(TEAM, BUCKET, rate_per_min=50, burst=5, reserve=5)


def test_hold_closes_a_bucket_for_everybody(outbox: Outbox) -> None:
    outbox.hold(TEAM, BUCKET, 30_000)
    assert 29_000 < outbox.take_token(TEAM, BUCKET, rate_per_min=600, burst=5) <= 30_000
    outbox.hold(TEAM, BUCKET, 1_000)
    assert outbox.take_token(TEAM, BUCKET, rate_per_min=600, burst=5) > 20_000, "the longest hold counts"


def test_hold_is_kept_as_long_as_it_lasts(outbox: Outbox, peek: redis.Redis) -> None:
    outbox.hold(TEAM, BUCKET, 3_600_000)
    assert peek.pttl(f"tuneroom:{{T1}}:bucket:{BUCKET}") > 3_600_000


def test_hold_is_followed_by_no_burst(outbox: Outbox) -> None:
    outbox.hold(TEAM, BUCKET, 20)
    wait_for(lambda: outbox.take_token(TEAM, BUCKET, rate_per_min=0.1, burst=5) == 0)
    assert outbox.take_token(TEAM, BUCKET, rate_per_min=0.1, burst=5) > 0


def test_bucket_that_nobody_uses_is_forgotten(outbox: Outbox, peek: redis.Redis) -> None:
    outbox.take_token(TEAM, BUCKET, rate_per_min=50, burst=5)
    assert 0 < peek.pttl(f"tuneroom:{{T1}}:bucket:{BUCKET}") <= 600_000
