"""Issue trackers of the organisation: one small interface, one file for each system.

Decides how an action item becomes an issue there, at most once. Which items do, and when, is `bot.cases.tracking`'s.
"""
