"""The nouns of an incident and the rules about them. Pure: no session, no clock, no I/O."""
