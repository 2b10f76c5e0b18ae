"""The Web API's methods, one module a family, in one table: ``TABLE``.

A method is a plain function of a ``Call``; it changes the world in one go, without awaiting, and answers a JSON
object or raises ``SlackError``. Authentication, limits and faults are the business of ``web``.
"""

from __future__ import annotations

from bot.practice.methods import apps, canvases, channels, chat, files, history, items, members, people, views
from bot.practice.methods.table import Method

TABLE: dict[str, Method] = {
    method.name: method
    for family in (apps, channels, members, history, chat, views, items, people, files, canvases)
    for method in family.METHODS
}
"""every method by name; a name that is not here answers ``unknown_method``"""
