"""The environment, read once. Decides how a setting that cannot be used is named to whoever starts the process.

What the settings are is `bot.settings`'s. Apart from `bot.app`, so that the gate alone starts without Slack's libraries.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from bot.incident.errors import Misconfigured
from bot.settings import Settings


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """The settings of the environment. Raises Misconfigured naming each variable that cannot be used, never its value."""
    try:
        return Settings() if env is None else Settings.model_validate({k: v for k, v in env.items() if v})
    except ValidationError as error:
        wrong = "\n".join(
            f"  {'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise Misconfigured(f"The environment cannot be used:\n{wrong}") from None
