from tests.commands.run.conftest import finished, made, pattern, stub

__all__ = ["finished", "made", "pattern", "stub"]
