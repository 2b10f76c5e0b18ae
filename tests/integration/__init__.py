"""Tests against real systems, each started from a package. `make integration` runs them, `make test` does not."""
