"""received → fetching → checking: bring one dropped file's bytes from Slack to the blob store."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, cast

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.downloads import GONE, TryAgainError, download, too_large
from bot.payloads import table, text
from bot.slack_errors import MISCONFIGURED, classify, missing_scope
from finetune.errors import UserError
from jobstore.connections import UNAVAILABLE
from jobstore.deliveries import Delivery, Rank, card
from jobstore.faults import reach
from jobstore.keys import seen_hash
from jobstore.outbox import Outcome
from jobstore.records import Dataset, Record, Ref
from jobstore.refusals import Refusal
from jobstore.states import Kind
from jobstore.store import StaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from slack_sdk import WebClient

    from bot.desk import Desk

log = logging.getLogger(__name__)

TRIES_MAX: Final = 5
SILENCE_S: Final = 3.0


class Fetching:
    """One leased file on its way; `record` is what this owner committed last. `beat` says that it is still alive."""

    def __init__(self, desk: Desk, client: WebClient, record: Record[Dataset], *, beat: Callable[[], None]) -> None:
        self._desk = desk
        self._client = client
        self._record = record
        self._beat = beat

    def run(self) -> None:
        """Fetch the file, or record why it cannot be had, or give it back to be tried again."""
        try:
            if self._record.state == "received":
                self._record = self._desk.store.transition(self._record, "fetching", self._record.data, keep_lease=True)
            self._fetch()
        except StaleError as error:
            log.info("fetch.stale", extra={"ref": self._record.ref.member, "reason": str(error)})
        except UserError as error:
            self._refuse(error)
        except TryAgainError as error:
            self._again(str(error))
        except SlackApiError as error:
            self._slack_refused(error)
        except (SlackClientError, OSError) as error:
            self._again(type(error).__name__)
        except UNAVAILABLE:
            raise  # the lease lapses, and the file is fetched anew
        except Exception as error:
            log.exception("fetch.failed", extra={"ref": self._record.ref.member})
            self._again(type(error).__name__)

    def _fetch(self) -> None:
        data, team = self._record.data, self._record.ref.team
        if data.sha256:  # its bytes came from us: a template's rows
            self._stored(data)
            return
        file = table(self._client.files_info(file=data.file_id), "file")
        url = text(file, "url_private_download") or text(file, "url_private")
        if not url or text(file, "mode") == "tombstone":
            raise GONE
        declared = int(file.get("size") or 0)
        if declared > self._desk.max_file_bytes:
            raise too_large(self._desk.max_file_bytes)
        blocks = download(
            url,
            token=self._client.token or "",
            api_url=self._desk.api_url,
            expected_bytes=declared,
            max_bytes=self._desk.max_file_bytes,
        )
        sha256, size = self._desk.blobs.put(team, self._held(blocks))
        reach("fetch.stored")
        filename = text(file, "name") or data.filename
        self._stored(self._record.having(sha256=sha256, size_bytes=size, filename=filename, declared_bytes=declared))

    def _held(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass blocks on; hold the file's lease for as long as they come, and say once that it takes a while."""
        began = renewed = time.monotonic()
        is_said = False
        for block in blocks:
            now = time.monotonic()
            if not is_said and now - began > SILENCE_S:
                is_said = True
                self._record = self._desk.store.transition(
                    self._record, "fetching", self._record.data, deliveries=[self._card(Rank.PROGRESS)], keep_lease=True
                )
            if now - renewed > self._desk.lease_s / 3:
                renewed = now
                if not self._desk.store.renew(self._record, int(self._desk.lease_s * 1000)):
                    raise StaleError(self._record.ref.member)
                self._beat()
            yield block

    def _stored(self, changed: Dataset) -> None:
        """Have the bytes checked, or take over the report of the same bytes, where this channel has seen it."""
        ref, store = self._record.ref, self._desk.store
        earlier = store.marked(ref.team, seen_hash(changed.channel), changed.sha256)
        found: Record[Dataset] | None = store.get(Ref(ref.team, Kind.DATASET, earlier)) if earlier else None
        if found is None or not found.data.report:
            event = {"type": "DatasetFetched", "sha256": changed.sha256}
            store.transition(self._record, "checking", changed, event=event)
            self._desk.doorbell.ring(ref)
            return
        same = Record(ref=ref, state=self._record.state, version=self._record.version, data=changed).having(
            picture=found.data.picture,
            report=found.data.report,
            rows_seen=found.data.rows_seen,
            same_as=found.ref.id,
            expected_s=found.data.expected_s,
        )
        event = {"type": "DatasetChecked", "same_as": found.ref.id}
        store.transition(self._record, found.state, same, event=event, deliveries=[self._card(Rank.TERMINAL)])

    def _refuse(self, error: UserError) -> None:
        refusal = Refusal(code=error.code, message=error.message, hint=error.hint)
        self._desk.store.transition(
            self._record,
            "unreadable",
            self._record.having(refusal=refusal),
            event={"type": "DatasetUnreadable", "code": error.code},
            deliveries=[self._card(Rank.TERMINAL)],
        )

    def _slack_refused(self, error: SlackApiError) -> None:
        failure = classify(error)
        if failure.outcome is not Outcome.DEAD and failure.reason not in MISCONFIGURED:
            self._again(failure.reason, failure.wait_ms)
            return
        message = f"Slack would not show me this file ({failure.reason})."
        needed = text(cast("Any", error.response), "needed")
        hint = (
            f"{missing_scope(needed)} Then drop the file anew."
            if needed
            else "Drop it here once more; if that does not help, tell whoever runs me."
        )
        self._refuse(UserError("file-not-shown", message, hint))

    def _again(self, reason: str, wait_ms: int = 0) -> None:
        log.info("fetch.again", extra={"ref": self._record.ref.member, "reason": reason})
        if self._record.attempts >= TRIES_MAX:
            hint = "Drop it here once more."
            self._refuse(UserError("fetch-failed", "Slack did not give me this file.", hint))
        else:
            self._desk.store.release(self._record, due_in_ms=max(wait_ms, 500 * 2**self._record.attempts))

    def _card(self, rank: Rank) -> Delivery:
        data = self._record.data
        return card(self._record.ref, channel=data.channel, thread_ts=data.message_ts, rank=rank)
