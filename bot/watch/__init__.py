"""The watch: the running thing between the events that come in and the incidents that open.

It decides nothing about what a trigger means (`bot.detection`) nor what an incident gets (`bot.cases`): it holds the state,
keeps what was seen for a restart and for tuning, and never holds the loop for long.
"""
