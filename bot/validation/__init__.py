"""The proof of a fix: packs of attacks, their variants, replays against a target, and what they prove."""
