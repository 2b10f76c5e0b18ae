"""The documents that are written from the store: the review, what may be shared of it, what a vendor is told, the export.

Decides what each says and how it is written. When one is asked for, and whether it may leave, is `bot.cases.review`'s; how it
gets to Slack is the delivery's. Nothing in here invents: what nobody provided is printed as such.
"""
