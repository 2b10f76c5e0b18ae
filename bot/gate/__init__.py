"""The inline policy point: what an AI gateway asks before and after each model call. May run in a process of its own."""
