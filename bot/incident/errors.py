"""The one error tree. Every message is for the person in Slack: what happened and what to do next.

FirsthourError
├── Refused           a person or an alert asked for something that the rules do not allow
│   ├── NotFound      there is no such incident, action, step or person
│   └── Invalid       the request itself is malformed; carries a correct example
├── Repeated          the same inbound act arrived before; carries the first one's answer
├── Busy              the store did not answer in time; says whether anything may have been changed
│   └── Unwritable    its disk is full, or it is read-only: it passes when somebody has mended it
├── VaultFailed       the vault of evidence did not answer; a later attempt may succeed
│   ├── VaultFull     there is no room in it: it passes when somebody has made some
│   ├── TooLarge      more bytes than one piece of evidence may have
│   └── Missing       it does not have the bytes, or they are damaged
├── ChainBroken       a timeline does not verify; names the first broken link
│   └── Tampered      an exported file does not verify: it was changed after it was signed, or another key signed it
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


class VaultFailed(FirsthourError):
    pass


class VaultFull(VaultFailed):
    def __init__(self) -> None:
        super().__init__(
            "The vault of evidence is full, so nothing more is kept in it. Nothing that was kept is lost. Tell whoever runs "
            "Firsthour; what waits is kept once there is room."
        )


class TooLarge(VaultFailed):
    def __init__(self, most: int) -> None:
        """`most`: bytes that one piece may have."""
        super().__init__(
            f"It is larger than one piece of evidence may be ({most / 1_000_000:g} MB). Keep the part that matters, or have "
            "whoever runs Firsthour raise `evidence.most_mb`."
        )


class Missing(VaultFailed):
    def __init__(self, sha256: str, why: str = "missing") -> None:
        super().__init__(f"The vault does not have the bytes of sha256 {sha256[:12]}…: {why}.")
        self.why = why


class ChainBroken(FirsthourError):
    def __init__(self, incident: str, seq: int, why: str) -> None:
        super().__init__(f"{incident}: the timeline is broken at entry {seq}: {why}")
        self.incident, self.seq, self.why = incident, seq, why


class Tampered(ChainBroken):
    def __init__(self, file: str, why: str) -> None:
        super().__init__(file, 0, why)
        self.args = (f"{file} cannot be trusted: {why}.",)


class Misconfigured(FirsthourError):
    pass
