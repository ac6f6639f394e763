"""How a play at the workspace fails: each is an assertion about what a person saw."""


class WaitedInVainError(AssertionError):
    """What was waited for did not happen; the message holds what did."""


class RefusedError(AssertionError):
    """The workspace would not do what the person asked; the message says why."""


class NotAnsweredError(AssertionError):
    """The app did not acknowledge an interaction within three seconds."""
