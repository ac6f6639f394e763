"""How long a look-up that finds nothing is not believed, once a paid request may have gone out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jobstore.records import Record
    from workers.workshop import Workshop

WAITING: Final = "The provider's answer was lost. I'm looking the {what} up before I do anything else."


def counts(shop: Workshop, posted_ms: int) -> bool:
    """Return whether a look-up that finds nothing counts: the request is over, and lists have caught up."""
    return shop.store.now_ms() - posted_ms >= _grace_ms(shop)


def wait_for_grace(shop: Workshop, record: Record[Any], posted_ms: int) -> None:
    """Come back when a look-up begins to count."""
    waited_ms = shop.store.now_ms() - posted_ms
    shop.store.release(record, due_in_ms=max(500, min(2_000, _grace_ms(shop) - waited_ms)))


def _grace_ms(shop: Workshop) -> int:
    return int((shop.timings.create_deadline_s + shop.timings.lookup_grace_s) * 1000)
