from datamodules.prepare.table_rows import NameTable, Rows

ROWS = [("a.jpg", ["cup", "lamp"]), ("b", []), ("", [""]), ("c", ["ü"])]


def test_rows_are_what_they_were_made_of():
    rows = Rows(iter(ROWS))
    assert rows == ROWS and len(rows) == 4 and list(rows) == ROWS
    assert rows[-1] == ("c", ["ü"]) and rows[1:3] == ROWS[1:3]
    assert rows != ROWS[:-1] and rows != "text"
    assert Rows([]) == []


def test_a_table_of_names_answers_as_a_dict_does():
    table = NameTable(ROWS)
    assert dict(table) == dict(ROWS) and list(table) == ["a.jpg", "b", "", "c"] and len(table) == 4
    assert table[""] == [""] and table["b"] == [] and "d" not in table
