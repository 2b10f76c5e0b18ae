"""Where action items are tracked outside, as the organisation's file says it.

Decides which keys go with which kind of tracker. How an issue is opened is `bot.trackers`'.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,49}$")]
"""Without spaces: Jira takes none."""
ADDRESS = r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$"


class TrackerSettings(BaseModel):
    """GitHub needs `repository`, Jira `url` and `project`; both the name of the variable that holds the token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["github", "jira"]
    token_env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
    """GitHub: a token that may write issues. Jira: an API token of `user`; without `user` a personal access token."""
    repository: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")] | None = None
    """GitHub: `owner/name`."""
    project: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")] | None = None
    """Jira: the project's key."""
    url: Annotated[str, StringConstraints(pattern=ADDRESS)] | None = None
    """Jira: `https://example.atlassian.net`. GitHub: the API's address where it is not `https://api.github.com`."""
    user: Annotated[str, StringConstraints(min_length=3, max_length=200)] | None = None
    """Jira: the e-mail address that the API token belongs to."""
    issue_type: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "Task"
    """Jira only."""
    labels: tuple[Label, ...] = Field(default=(), max_length=10)
    automatic: bool = False
    """Open an issue for every action item as soon as there is one. Drills never do."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "github" and (self.repository is None or self.project or self.user):
            raise ValueError("`kind: github` needs `repository: owner/name`, and no `project` or `user`")
        if self.kind == "jira" and (self.url is None or self.project is None or self.repository):
            raise ValueError("`kind: jira` needs `url` and `project`, and no `repository`")
        return self
