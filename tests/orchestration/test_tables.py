import pandas as pd

from orchestration.tables import as_markdown

FRAME = pd.DataFrame({"plan": ["a|b", None], "cases": [1200, 3], "share": [0.1234567, float("nan")]})


def test_all_columns_are_shown_and_what_is_not_known_is_left_empty():
    assert as_markdown(FRAME).splitlines() == [
        "| plan | cases | share |",
        "|---|---|---|",
        "| a\\|b | 1200 | 0.123 |",
        "|  | 3 |  |",
    ]


def test_only_columns_with_a_format_are_shown_in_it():
    lines = as_markdown(FRAME, {"share": "{:.1%}", "cases": "{:,.0f}"}).splitlines()
    assert lines == ["| share | cases |", "|---|---|", "| 12.3% | 1,200 |", "|  | 3 |"]
