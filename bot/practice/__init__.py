"""A local Slack workspace and a practice AI app, for tests, drills and the demo.

from bot.practice.server import PracticeWorkspace
from bot.practice.ai_app import PracticeAiApp
"""
