"""A person's Home tab: what waits for them, what runs, what is overdue. Pure.

Decides the order (decisions, their action items, incidents, everybody's overdue by count) and how much of each fits. What the
person may see was decided before (`bot.store.home_file`); guests are told why they see little.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.incident.homefile import HomeFile
from bot.incident.incident import Incident
from bot.incident.work import Action
from bot.playbook import Playbook
from bot.slack.buttons import Button, value
from bot.slack.cards.items import item_line, risk_line
from bot.slack.cards.scene import MARKS
from bot.slack.kit import actions, button, context, divider, header, section
from bot.slack.limits import KitError, check_blocks
from bot.slack.text import Md, channel, md, safe

HOME_BLOCKS = 100
"""Of a Home tab (slack.md §2); a message has half as many."""
MOST_ITEMS, MOST_INSIDE, MOST_OUTSIDE, MOST_WAITING, MOST_RISKS = 25, 15, 10, 10, 8
TITLE_CHARS = 120


def home(file: HomeFile, playbook: Playbook) -> View:
    """At most 100 blocks, whatever there is."""
    blocks: list[Block] = [actions(button("Declare an incident", Button.DECLARE, "new", style="danger"))]
    blocks += _decisions(file, playbook)
    blocks += _items(file)
    blocks += _running(file)
    blocks += _overdue(file)
    blocks.append(
        context(md("As of {} UTC. Open this tab again to bring it up to date.", f"{file.now:%Y-%m-%d %H:%M}"))
    )
    return _view(blocks)


def for_guests() -> View:
    """Who is not a full member of the workspace."""
    text = Md(
        "Firsthour runs the response to AI security incidents here. Its Home tab is for full members of this workspace."
    )
    return _view([section(text)])


def _view(blocks: list[Block]) -> View:
    if len(blocks) > HOME_BLOCKS:
        raise KitError(f"a Home tab has at most {HOME_BLOCKS} blocks")
    check_blocks(blocks)
    return View(type="home", blocks=blocks)


def _decisions(file: HomeFile, playbook: Playbook) -> list[Block]:
    if not file.waiting:
        return []
    lines = [section(_decision(incident, action, playbook)) for incident, action in file.waiting[:MOST_WAITING]]
    return [header("Waits for your decision"), *lines, *_more(len(file.waiting) - MOST_WAITING)]


def _decision(incident: Incident, action: Action, playbook: Playbook) -> Md:
    title = playbook.actions[action.kind].title
    return md("*{}* {}: action {}, “{}”. Decide in the panel of {}.", incident.name, _mark(incident), action.index, title,
              _room(incident))  # fmt: skip


def _items(file: HomeFile) -> list[Block]:
    blocks: list[Block] = [divider(), header("Your action items")]
    if not file.items:
        blocks.append(section(Md("None waits for you.")))
    else:
        late = md(", *{} overdue*", file.overdue) if file.overdue else Md("")
        blocks.append(context(md("{} pending{}", file.item_count, late)))
    for item in file.items[:MOST_ITEMS]:
        done = button("Done", Button.ITEM_DONE, value(item.incident, item.id or 0), says=f"Done: action item {item.id}")
        blocks.append(section(item_line(item, file.now, incident=True), accessory=done))
    blocks += _more(file.item_count - min(len(file.items), MOST_ITEMS))
    if file.risks:
        blocks += [header("Risks that you are to look at again")]
        blocks += [section(risk_line(risk, file.now, incident=True)) for risk in file.risks[:MOST_RISKS]]
        blocks += _more(len(file.risks) - MOST_RISKS)
    return blocks


def _running(file: HomeFile) -> list[Block]:
    blocks: list[Block] = [divider(), header("Incidents that run")]
    if not file.running:
        return [*blocks, section(Md("None."))]
    blocks += [section(_inside(one)) for one in file.inside[:MOST_INSIDE]]
    for one in file.outside[:MOST_OUTSIDE]:
        join = button("Join", Button.JOIN, value(one.number), says=f"Join {one.name}")
        blocks.append(section(_line(one), accessory=join))
    shown = min(len(file.inside), MOST_INSIDE) + min(len(file.outside), MOST_OUTSIDE)
    return [*blocks, *_more(file.running - shown)]


def _overdue(file: HomeFile) -> list[Block]:
    if not file.overdue_all:
        return []
    yours = md(" ({} of them yours)", file.overdue) if file.overdue else Md("")
    return [divider(), section(md("*{}* action items of everybody are overdue{}.", file.overdue_all, yours))]


def _inside(incident: Incident) -> Md:
    return md("{} · {}\n{}", _line(incident), _room(incident), safe(incident.title, TITLE_CHARS))


def _line(incident: Incident) -> Md:
    """Number, severity, status: what stakeholders are told too."""
    status, drill = incident.status.replace("_", " "), " · drill" if incident.drill else ""
    return md("{} *{}* · {} · {}{}", _mark(incident), incident.name, incident.severity.label, status, drill)


def _mark(incident: Incident) -> Md:
    return Md(MARKS[incident.severity])


def _room(incident: Incident) -> Md:
    return channel(incident.channel_id) if incident.channel_id else Md("its room, which is being opened")


def _more(count: int) -> list[Block]:
    return [context(md("… and {} more.", count))] if count > 0 else []
