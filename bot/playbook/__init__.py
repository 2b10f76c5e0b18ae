"""The playbook room: `playbooks/*.yaml` to frozen, validated models, and what one incident gets of them. Pure.

Leaves to the cases what is stored, and to `app.py` where the folder lies.
"""

from bot.playbook.load import DEFAULT_PATH, load
from bot.playbook.playbook import Playbook
from bot.playbook.problem import PlaybookError, Problem

__all__ = ["DEFAULT_PATH", "Playbook", "PlaybookError", "Problem", "load"]
