"""The use cases, one verb a file. One use case is one transaction: state, timeline entry and intents (design law 2)."""
