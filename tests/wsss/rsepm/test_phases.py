import pytest

from mars_pl.wsss.rsepm.phases import Phase, phase_of


def test_epochs():
    phases = [phase_of(epoch, None, 5, 15) for epoch in range(17)]
    assert phases == [Phase.CAM] * 5 + [Phase.RECURSIVE] * 10 + [Phase.MIXED] * 2


def test_shares_of_the_fit():
    phases = [phase_of(epoch, 10, 0.25, 0.75) for epoch in range(10)]
    assert phases == [Phase.CAM] * 3 + [Phase.RECURSIVE] * 5 + [Phase.MIXED] * 2


def test_a_phase_can_be_left_out():
    assert phase_of(0, 10, 0, 20) == Phase.RECURSIVE
    assert phase_of(9, 10, 0, 20) == Phase.RECURSIVE
    assert phase_of(0, 10, 5, 0) == Phase.MIXED


@pytest.mark.parametrize("epochs", [None, -1])
def test_a_share_of_an_endless_fit_is_refused(epochs):
    with pytest.raises(ValueError, match="max_epochs"):
        phase_of(0, epochs, 0.25, 15)


def test_a_negative_start_is_refused():
    with pytest.raises(ValueError, match="not at -1"):
        phase_of(0, 10, -1, 15)
