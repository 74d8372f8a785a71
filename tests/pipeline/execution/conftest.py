from tests.commands.run.conftest import finished, house, made, pattern, stub

__all__ = ["finished", "house", "made", "pattern", "stub"]
