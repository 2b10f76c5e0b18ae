"""Attack categories, attack scenarios, detection channels and the public indexes (MITRE ATLAS, OWASP) that tag them.

Decides their shape. Leaves to `compose` what they add to an incident's steps and proposals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from bot.incident.words import Category, DetectionMethod, Phase, Severity
from bot.playbook.action import Changes
from bot.playbook.checklist import StepSpec
from bot.playbook.model import AtlasId, Id, Model, OwaspId, Paragraph, Text, Title


class AttackCategory(Model):
    id: Category
    title: Title
    description: Text
    focus: tuple[Text, ...] = Field(min_length=1)
    """Where an investigation of this kind looks first."""
    atlas: tuple[AtlasId, ...] = Field(min_length=1)
    owasp: tuple[OwaspId, ...] = Field(min_length=1)
    actions: Changes = Changes()


class CategoryFile(Model):
    categories: tuple[AttackCategory, ...]


class ScenarioStep(StepSpec):
    phase: Phase


class Scenario(Model):
    """A known course of events with its own steps; later also a drill's script."""

    id: Id
    title: Title
    when: Text
    """What has been found when this scenario is the right one."""
    category: Category
    severity: Severity
    case_studies: tuple[Annotated[str, StringConstraints(pattern=r"^AML\.CS\d{4}$")], ...] = ()
    steps: tuple[ScenarioStep, ...] = Field(min_length=1)


class Channel(Model):
    """A way in which incidents come to light."""

    id: DetectionMethod
    title: Title
    signals: tuple[Text, ...] = Field(min_length=1)
    typical: Title
    """How long detection usually takes by this channel."""


class ChannelFile(Model):
    channels: tuple[Channel, ...] = Field(min_length=1)


class Atlas(Model):
    """Id → name of MITRE ATLAS, © The MITRE Corporation, Apache-2.0."""

    attribution: Paragraph
    source: str
    version: str
    licence: str
    techniques: Mapping[str, str]
    tactics: Mapping[str, str]
    mitigations: Mapping[str, str]


class Owasp(Model):
    """Id → title of the OWASP Top 10 for LLM applications; ids and titles only."""

    attribution: Paragraph
    edition: str
    risks: Mapping[str, str]
