from pulmo.report.markdown import markdown_table


def test_columns_are_aligned_and_a_bar_does_not_end_a_cell() -> None:
    assert markdown_table([["Name", "n"], ["a|b", "1,000"], ["c", "2"]]) == (
        "| Name |     n |\n| ---- | ----: |\n| a\\|b | 1,000 |\n| c    |     2 |\n"
    )


def test_a_narrow_column_still_has_a_rule() -> None:
    assert markdown_table([["a", "b"]]) == "| a   |   b |\n| --- | --: |\n"
