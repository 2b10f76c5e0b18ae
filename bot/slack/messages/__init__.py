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
review_due            –
document_draft        document, upto (entry), sha256
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
evidence_lost         evidence (id), why
vault_full            –
evidence_wanted       missing (kinds)
gave_up               intent (its kind), why
validated             run
regressed             run
regressed_elsewhere   run, incident (the closed one)
handed_over           by, to (user ids), text, command (to is asked to take it), unanswered (ids of questions)
similar_known         similar: `{"incident", "why"}`, count
recurrence_of         of (number), days, why, fixed, proof
came_back             incident (number), why
monitoring_ended      again: names of incidents
owner_gone            owner, items (numbers)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.playbook import Playbook
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message
from bot.slack.messages import after, evidence, handover, news, reminders, similar, validations

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
        reminders.review_due,
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
        news.document_draft,
        evidence.evidence_lost,
        evidence.vault_full,
        evidence.evidence_wanted,
        news.gave_up,
        validations.validated,
        validations.regressed,
        validations.regressed_elsewhere,
        handover.handed_over,
        similar.similar_known,
        after.recurrence_of,
        after.came_back,
        after.monitoring_ended,
        after.owner_gone,
    )
}


def compose(file: CaseFile, playbook: Playbook, args: Json, *, speed: float = 1.0) -> Message | None:
    """The message that `args["message"]` names, or None where it has become pointless. Raises KeyError on no such name."""
    return MESSAGES[str(args["message"])](Scene(file, playbook, speed=speed), args)
