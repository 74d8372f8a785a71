import pytest

from mars_pl.cli.parser_faults import first_fault

UNION = """Parser key "model":
  Does not validate against any of the Union subtypes
  Subtypes: [<class 'a.B'>, <class 'NoneType'>]
  Errors:
    - Problem with given class_path 'a.b.Network':
        Parser key "depth":
          Does not validate against any of the Union subtypes
          Subtypes: [<class 'int'>, <class 'str'>]
          Errors:
            - Expected a <class 'int'>. Got value: x
            - Expected
              a <class 'str'>
          Given value type: <class 'float'>
          Given value: 1.5
    - Expected a <class 'NoneType'>
  Given value type: <class 'dict'>
  Given value: {'depth': 'x'}"""


def test_the_wanted_type_of_each_union_speaks():
    assert first_fault(UNION) == "model: Network: depth: Expected a <class 'int'>. Got value: x"


def test_a_message_of_our_own_stays():
    assert first_fault("a/b.png: 3×3 pixels;\n  make it again") == "a/b.png: 3×3 pixels; make it again"


def test_a_list_in_a_message_of_our_own_stays():
    assert first_fault("two faults:\nfirst\nsecond") == "two faults: first second"


CALLED = """Parser key "model":
  Errors:
    - Problem with given class_path 'a.b.Module':
        Parser key "network":
          Type collections.abc.Callable[[int], a.Net] expects a function or a callable class: {why}. Got value: {value}
    - Expected a <class 'NoneType'>
  Given value type: <class 'dict'>"""


@pytest.mark.parametrize(
    "value",
    [
        "Namespace(class_path='a.c.Net', init_args=Namespace(part={'class_path': 'a.Part'}))",
        "Namespace(init_args=Namespace(part=Namespace(class_path='a.Part')), class_path='a.c.Net')",
        "Namespace(class_path='a.c.Net')",
    ],
)
def test_of_a_class_that_is_called_later_its_name_and_its_fault_are_said(value):
    said = first_fault(CALLED.format(why="Option 'depht' is not accepted", value=value))
    assert said == "model: Module: network: Net: Option 'depht' is not accepted"
    nested = "Parser key \"part\":\n            Expected a <class 'int'>. Got value: x"
    said = first_fault(CALLED.format(why=nested, value=value))
    assert said == "model: Module: network: Net: part: Expected a <class 'int'>. Got value: x"
