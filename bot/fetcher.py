"""received → fetching → checking: bring a dropped file's bytes from Slack to the blob store, leased like the sender."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.downloads import GONE, TryAgainError, download, too_large
from bot.slack_errors import MISCONFIGURED, classify
from finetune.errors import UserError
from jobstore.connections import UNAVAILABLE, wakes
from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.outbox import Outcome
from jobstore.records import Dataset, Record, Ref, Refusal
from jobstore.states import Actor, Kind
from jobstore.store import StaleError, seen_hash
from jobstore.trace import about

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slack_sdk import WebClient

    from bot.desk import Desk

log = logging.getLogger(__name__)

SWEEP_S: Final = 1.0
TRIES_MAX: Final = 5
STATES: Final = ("received", "fetching")


class Fetcher:
    """Fetches the files of one team, until told to stop."""

    def __init__(self, desk: Desk, client: WebClient, team: str) -> None:
        self._desk = desk
        self._client = client
        self._team = team
        self._lease_ms = int(desk.lease_s * 1000)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish the file that is being fetched, then return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Fetch until `stop`."""
        while not self._stop.is_set():
            try:
                for _ in wakes(self._desk.listen(), "tuneroom:*:wake:fetcher", every_s=SWEEP_S):
                    self._sweep()
                    self._desk.pulse.beat(threading.current_thread().name)
                    if self._stop.is_set():
                        return
            except UNAVAILABLE:
                log.warning("redis.unavailable")
                self._stop.wait(1.0)
            except Exception:
                log.exception("fetcher.failed")
                self._stop.wait(1.0)

    def _sweep(self) -> None:
        for ref in self._desk.store.due(self._team, Actor.FETCHER):
            record: Record[Dataset] | None = self._desk.store.claim(ref, STATES, self._lease_ms)
            if record is not None:
                self._desk.pulse.beat(threading.current_thread().name, within_s=2 * self._desk.lease_s)
                with about(ref.team, ref.member):
                    self._fetch_one(record)

    def _fetch_one(self, record: Record[Dataset]) -> None:
        try:
            if record.state == "received":
                record = self._desk.store.transition(record, "fetching", record.data, keep_lease=True)
            self._fetch(record)
        except StaleError as error:
            log.info("fetch.stale", extra={"ref": record.ref.member, "reason": str(error)})
        except UserError as error:
            self._refuse(record, error)
        except TryAgainError as error:
            self._again(record, str(error))
        except SlackApiError as error:
            self._slack_refused(record, error)
        except (SlackClientError, OSError) as error:
            self._again(record, type(error).__name__)
        except UNAVAILABLE:
            raise  # the lease lapses, and the file is fetched anew
        except Exception as error:
            log.exception("fetch.failed", extra={"ref": record.ref.member})
            self._again(record, type(error).__name__)

    def _fetch(self, record: Record[Dataset]) -> None:
        data, ref = record.data, record.ref
        file: dict[str, Any] = self._client.files_info(file=data.file_id).get("file") or {}
        url = file.get("url_private_download") or file.get("url_private")
        if not url or file.get("mode") == "tombstone":
            raise GONE
        declared = int(file.get("size") or 0)
        if declared > self._desk.max_file_bytes:
            raise too_large(self._desk.max_file_bytes)
        blocks = download(
            str(url),
            token=self._client.token or "",
            api_url=self._desk.api_url,
            expected_bytes=declared,
            max_bytes=self._desk.max_file_bytes,
        )
        sha256, size = self._desk.blobs.put(ref.team, self._held(record, blocks))
        reach("fetch.stored")
        changed = record.having(
            sha256=sha256, size_bytes=size, filename=str(file.get("name") or data.filename), declared_bytes=declared
        )
        if not self._already_checked(record, changed):
            self._desk.store.transition(record, "checking", changed, event={"type": "DatasetFetched", "sha256": sha256})
            self._desk.doorbell.ring(ref)

    def _held(self, record: Record[Dataset], blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass blocks on, and hold the file's lease for as long as they come."""
        renewed = time.monotonic()
        for block in blocks:
            if time.monotonic() - renewed > self._lease_ms / 3000:
                renewed = time.monotonic()
                if not self._desk.store.renew(record, self._lease_ms):
                    raise StaleError(record.ref.member)
                self._desk.pulse.beat(threading.current_thread().name, within_s=2 * self._desk.lease_s)
            yield block

    def _already_checked(self, record: Record[Dataset], changed: Dataset) -> bool:
        """Take over the report of the same bytes, where this channel has seen it."""
        earlier = self._desk.store.marked(record.ref.team, seen_hash(changed.channel), changed.sha256)
        found: Record[Dataset] | None = (
            self._desk.store.get(Ref(record.ref.team, Kind.DATASET, earlier)) if earlier else None
        )
        if found is None or not found.data.report:
            return False
        same = Record(ref=record.ref, state=record.state, version=record.version, data=changed).having(
            report=found.data.report, rows_seen=found.data.rows_seen, same_as=found.ref.id
        )
        self._desk.store.transition(
            record,
            found.state,
            same,
            event={"type": "DatasetChecked", "same_as": found.ref.id},
            deliveries=[_card(record, Rank.TERMINAL)],
        )
        return True

    def _refuse(self, record: Record[Dataset], error: UserError) -> None:
        refusal = Refusal(code=error.code, message=error.message, hint=error.hint)
        self._desk.store.transition(
            record,
            "unreadable",
            record.having(refusal=refusal),
            event={"type": "DatasetUnreadable", "code": error.code},
            deliveries=[_card(record, Rank.TERMINAL)],
        )

    def _slack_refused(self, record: Record[Dataset], error: SlackApiError) -> None:
        failure = classify(error)
        if failure.outcome is Outcome.DEAD or failure.reason in MISCONFIGURED:
            self._refuse(
                record,
                UserError(
                    "file-not-shown",
                    f"Slack would not show me this file ({failure.reason}).",
                    "Drop it here once more; if that does not help, tell whoever runs me.",
                ),
            )
        else:
            self._again(record, failure.reason, failure.wait_ms)

    def _again(self, record: Record[Dataset], reason: str, wait_ms: int = 0) -> None:
        log.info("fetch.again", extra={"ref": record.ref.member, "reason": reason})
        if record.attempts >= TRIES_MAX:
            self._refuse(
                record, UserError("fetch-failed", "Slack did not give me this file.", "Drop it here once more.")
            )
        else:
            self._desk.store.release(record, due_in_ms=max(wait_ms, 500 * 2**record.attempts))


def _card(record: Record[Dataset], rank: Rank) -> Any:
    return card(record.ref, channel=record.data.channel, thread_ts=record.data.message_ts, rank=rank)
