import pytest

from mars_pl.training.weight_files import MARS_WEIGHTS
from tests.commands.run.house import PATCHES, House


@pytest.fixture
def stub(monkeypatch):
    """Everything that stands in place of something; the names of the runs whose reports were asked for, and why."""
    reports = []
    for module, name, substitute in PATCHES:
        monkeypatch.setattr(module, name, substitute)
    monkeypatch.setattr("mars_pl.commands.run.closing.report", lambda run, changed: reports.append((run.name, changed)))
    for name in (MARS_WEIGHTS, "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that what a run sets is taken back, also where nothing was set before
        monkeypatch.delenv(name)
    return reports


@pytest.fixture(scope="session")
def pattern(tmp_path_factory):
    """A house in which nothing has run."""
    return House.build(tmp_path_factory.mktemp("pattern") / "house")


@pytest.fixture(scope="session")
def finished(pattern, tmp_path_factory):
    """A house in which `mars run mars data=voc` has run, and what it made."""
    house = pattern.copied(tmp_path_factory.mktemp("finished") / "house")
    with pytest.MonkeyPatch.context() as patch:
        for module, name, substitute in PATCHES:
            patch.setattr(module, name, substitute)
        patch.setattr("mars_pl.commands.run.closing.report", lambda run, changed: None)
        patch.delenv(MARS_WEIGHTS, raising=False)
        first = house.run()
    return house, first, house.calls()


@pytest.fixture
def house(pattern, stub, tmp_path):
    """A copy of the first."""
    return pattern.copied(tmp_path / "house")


@pytest.fixture
def made(finished, stub, tmp_path):
    """A copy of the second, with the times of its files."""
    return finished[0].copied(tmp_path / "house")


@pytest.fixture
def closed(stub, monkeypatch):
    """What the commands after the stages were called with."""
    calls = []
    for name in ("gap", "methods", "convert", "check"):
        monkeypatch.setattr(
            f"mars_pl.commands.run.closing.{name}", lambda words, name=name: calls.append([name, *words]) or 0
        )
    return calls
