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
