from functools import partial

import pytest
from torch import nn

from mars_pl.networks.network_maker import check_first_parameter, make_network


class Net(nn.Module):
    def __init__(self, num_classes: int, width: int = 2):
        super().__init__()
        self.num_classes, self.width = num_classes, width


class ByAnotherName(Net):
    def __init__(self, classes: "int | None"):
        super().__init__(classes)


class Untyped(Net):
    def __init__(self, n):
        super().__init__(n)


class HandsOn(Net):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)


class Late(nn.Module):
    def __init__(self, width: int, num_classes: int = 3):
        super().__init__()


class OfText(nn.Module):
    def __init__(self, backbone: str):
        super().__init__()


class OfNothing(nn.Module):
    def __init__(self):
        super().__init__()


@pytest.mark.parametrize("maker", [Net, ByAnotherName, Untyped, HandsOn, lambda count: Net(count)])
def test_a_maker_is_called_with_the_number_of_classes(maker):
    assert make_network(maker, 5).num_classes == 5


def test_other_arguments_may_be_bound_as_a_person_or_the_parser_binds_them():
    assert make_network(partial(Net, width=7), 5).width == 7

    def instantiate(made, *arguments, **options):
        return made(*arguments, **options)

    assert make_network(partial(partial(instantiate, Net), width=7), 5).width == 7


@pytest.mark.parametrize(
    ("made", "says"),
    [(Late, "its first is width"), (OfText, "its first is backbone"), (OfNothing, "it takes none")],
)
def test_a_class_that_wants_something_else_first_is_refused_before_it_is_built(made, says):
    for maker in (made, partial(made)):
        with pytest.raises(ValueError, match=rf"^network {made.__name__}: .*, and {says}; .*AdaptedNetwork$"):
            make_network(maker, 5)
    with pytest.raises(ValueError, match=says):
        check_first_parameter(made)


def test_a_network_is_no_maker_though_it_can_be_called():
    with pytest.raises(ValueError, match=r"network: is a Net already; .*lambda num_classes: …"):
        make_network(Net(5), 5)


def test_arguments_that_lack_or_are_too_many_are_one_line():
    with pytest.raises(
        ValueError, match=r"network Net: .*unexpected keyword argument 'depth'; mend its init_args"
    ) as one:
        make_network(partial(Net, depth=3), 5)
    with pytest.raises(ValueError, match=r"network <lambda>: .*; mend its init_args"):
        make_network(lambda: Net(5), 5)
    assert "\n" not in str(one.value)
