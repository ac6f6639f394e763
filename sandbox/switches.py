"""Faults a person can turn on, so that what goes wrong in the world can be seen to go wrong here."""

from typing import Any

from sandbox.store import Store

Json = dict[str, Any]

# `missing_scope` takes scopes ("files:read") and single methods ("files.info"). `history_lag_s`: how long a message
# is not found in conversations.history and conversations.replies. `older_blocks`: newer blocks are `invalid_blocks`.
OFF: Json = {
    "redeliver": 1,
    "redeliver_interactions": 1,
    "login_page": False,
    "rate_limit": None,
    "drop_reply": None,
    "declared_size": None,
    "missing_scope": [],
    "unknown_method": [],
    "history_lag_s": 0,
    "older_blocks": False,
}


class Switches:
    """The faults now on. Counted ones (`rate_limit`, `drop_reply`) turn themselves off when spent."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.put("switch", "switches", dict(OFF))

    @property
    def now(self) -> Json:
        """Every switch and its setting."""
        return self._store.get("switch", "switches") or dict(OFF)

    def set(self, changes: Json) -> Json:
        """Turn switches; raises ValueError for a name that is none of them."""
        if unknown := sorted(set(changes) - set(OFF)):
            raise ValueError(f"no such switch: {', '.join(unknown)}; there are {', '.join(OFF)}")
        return self._store.put("switch", "switches", {**self.now, **changes})

    def spend(self, switch: str, method: str) -> Json | None:
        """Use up one of a counted switch for `method`; None when it is off or is for another method."""
        setting: Json | None = self.now[switch]
        if not setting or setting.get("method", method) != method or setting.get("count", 1) < 1:
            return None
        left = setting.get("count", 1) - 1
        self.set({switch: {**setting, "count": left} if left else None})
        return setting
