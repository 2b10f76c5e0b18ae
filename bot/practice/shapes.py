"""The few types that every file here speaks: raw Slack JSON, and the errors of the two sides.

Decides nothing but names. A ``SlackError`` is an answer to the app; ``CannotDo`` refuses a person; ``DidNotRespond``
and ``BadAck`` say that the app failed a person. What each error means is decided where it is raised.

    PracticeError
    ├── CannotDo        a person tried what Slack's clients would not let them do
    └── AppFailed       what the person sees when the app let them down
        ├── DidNotRespond   no acknowledgement in time, or no connection
        └── BadAck          an acknowledgement that Slack would refuse
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class SlackError(Exception):
    """An ``{"ok": false, "error": code}`` answer of a Web API method; ``extra`` is merged into the body."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = extra

    def body(self) -> Json:
        """The JSON body that Slack would answer."""
        return {"ok": False, "error": self.code, **self.extra}


class PracticeError(Exception):
    """Anything that goes wrong for a person in the practice workspace."""


class CannotDo(PracticeError):
    """A person tried something that Slack would not let them do."""


class AppFailed(PracticeError):
    """The app let the person down; the text is what Slack shows."""


class DidNotRespond(AppFailed):
    """The app did not acknowledge within Slack's three seconds, or was not connected."""


class BadAck(AppFailed):
    """The app acknowledged with something that Slack would refuse."""


def invalid_arguments(*messages: str) -> SlackError:
    """Slack's answer to a missing or malformed argument, with its reasons."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})
