from tests.commands.run.conftest import finished, house, made, pattern, stub
from tests.dashboards.conftest import no_wishes

__all__ = ["finished", "house", "made", "no_wishes", "pattern", "stub"]
