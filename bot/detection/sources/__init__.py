"""What others send becomes events: one file for each shape. Pure: bytes and the time in, events and errors in words out.

Decides nothing about what an event means. Reading bodies, tokens and answers are `bot.ingress`'s.
"""
