"""The one error tree. Every message is for the person in Slack: what happened and what to do next.

FirsthourError
├── Refused           a person or an alert asked for something that the rules do not allow
│   ├── NotFound      there is no such incident, action, step or person
│   └── Invalid       the request itself is malformed; carries a correct example
├── Repeated          the same inbound act arrived before; carries the first one's answer
├── Busy              the store did not answer in time; says whether anything may have been changed
│   └── Unwritable    its disk is full, or it is read-only: it passes when somebody has mended it
├── ChainBroken       a timeline does not verify; names the first broken link
└── Misconfigured     settings, playbooks or database cannot be used; the process does not start
"""

from __future__ import annotations


class FirsthourError(Exception):
    """`str(error)` is safe to show: no trace, no token, no payload."""


class Refused(FirsthourError):
    pass


class NotFound(Refused):
    pass


class Invalid(Refused):
    def __init__(self, message: str, *, example: str | None = None, field: str | None = None) -> None:
        super().__init__(f"{message} For example: `{example}`" if example else message)
        self.field = field


class Repeated(FirsthourError):
    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class Busy(FirsthourError):
    def __init__(self, *, unknown: bool = False) -> None:
        """`unknown`: the connection was lost while committing, so it may have been saved after all."""
        told = "It is not known whether this was saved: look before you try again." if unknown else ""
        super().__init__(f"The store is busy. {told or 'Nothing was changed; try again in a moment.'}")
        self.unknown = unknown


class Unwritable(Busy):
    def __init__(self) -> None:
        super().__init__()
        self.args = (
            "The store cannot be written: its disk is full, or it is read-only. Nothing was changed. Tell whoever runs "
            "Firsthour, and try again once it is mended.",
        )


class ChainBroken(FirsthourError):
    def __init__(self, incident: str, seq: int, why: str) -> None:
        super().__init__(f"{incident}: the timeline is broken at entry {seq}: {why}")
        self.incident, self.seq, self.why = incident, seq, why


class Misconfigured(FirsthourError):
    pass
