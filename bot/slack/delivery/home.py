"""Home tabs: published for whoever opened theirs, and again when what is on it changes.

Decides who counts as a full member (a tab that was a member's is emptied once they are a guest) and that whoever Slack does
not place in a private room sees its public line only (design law 7). What is shown is the card's.
"""

from __future__ import annotations

from bot.slack.cards.home import for_guests, home
from bot.slack.delivery.desk import Desk, outcome
from bot.slack.delivery.lookup import pages
from bot.slack.directory import Directory
from bot.slack.failures import Failure
from bot.store.home_file import home_file
from bot.store.intents import Claim
from bot.store.runner import Done, Outcome

CHANNELS_A_PAGE = 200


async def publish(desk: Desk, directory: Directory, claim: Claim) -> Outcome:
    """`{"person": user id}`. Publishing twice shows the same, so a doubt needs no look."""
    person = str(claim.args["person"])
    view = for_guests()
    if await directory.full_member(person):
        rooms = await _rooms(desk, person) if desk.org.private_rooms else None
        approvers = {role for policy in desk.playbook.actions.values() for role in policy.approvers}
        async with desk.store.read() as session:
            file = await home_file(session, person, desk.store.now(), rooms=rooms, approvers=approvers)
        view = home(file, desk.playbook)
    answer = await desk.slack.call("views.publish", user_id=person, view=view.to_dict())
    return outcome(claim, answer) if isinstance(answer, Failure) else Done()


async def _rooms(desk: Desk, person: str) -> set[str]:
    """The private channels that the person and the bot are both in; what Slack does not say is none."""
    asked = {"user": person, "types": "private_channel", "exclude_archived": True}
    found: set[str] = set()
    async for page in pages(desk.slack, "users.conversations", asked, size=CHANNELS_A_PAGE):
        if isinstance(page, Failure):
            break
        found |= {str(one["id"]) for one in page.get("channels", [])}
    return found
