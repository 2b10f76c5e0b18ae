"""Messages: posts into the room by name, so that whoever writes an intent needs to know no blocks.

An intent of kind POST or DIRECT carries `{"message": name, …}`. Decides which function makes which message; a message
that has become pointless by the time it is sent (acknowledged meanwhile, nothing missing) is None and is not sent.

name                  further arguments
window_started        window
window_nudge          window
acknowledge_overdue   people, usergroups (ids, e-mail addresses, handles), level
update_due            –
expiring_actions      until (ISO time)
temporary_over        action (index), again: it was asked before
catch_up              items: sentences, or `{"message": name, …}`
severity_changed      from (1..4), reason
update_posted         –
alert_attached        –
storm_began           –
action_proposed       action (index)
glass_broken          action (index)
action_result         action (index)
resolved              –
invite_failed         failures: `{"who", "why"}`
gave_up               intent (its kind), why
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.playbook import Playbook
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message
from bot.slack.messages import news, reminders

Compose = Callable[[Scene, Json], Message | None]
MESSAGES: Mapping[str, Compose] = {
    compose.__name__: compose
    for compose in (
        reminders.window_started,
        reminders.window_nudge,
        reminders.acknowledge_overdue,
        reminders.update_due,
        reminders.expiring_actions,
        reminders.temporary_over,
        reminders.catch_up,
        news.severity_changed,
        news.update_posted,
        news.alert_attached,
        news.storm_began,
        news.action_proposed,
        news.glass_broken,
        news.action_result,
        news.resolved,
        news.invite_failed,
        news.gave_up,
    )
}


def compose(file: CaseFile, playbook: Playbook, args: Json, *, speed: float = 1.0) -> Message | None:
    """The message that `args["message"]` names, or None where it has become pointless. Raises KeyError on no such name."""
    return MESSAGES[str(args["message"])](Scene(file, playbook, speed=speed), args)
