"""The crash proof: processes killed at random instants under traffic and faults, and an independent checker."""
