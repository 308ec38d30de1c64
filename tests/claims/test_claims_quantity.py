"""A printed figure, and what its rounding hides."""

import pytest

from rimbench.claims.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "value", "lowest", "highest", "dimension"),
    [
        ("50.9 %", 0.509, 0.5085, 0.5095, "share"),
        ("50.9%", 0.509, 0.5085, 0.5095, "share"),
        ("47.0 %", 0.470, 0.4695, 0.4705, "share"),
        ("47 %", 0.47, 0.465, 0.475, "share"),
        ("~85 %", 0.85, 0.845, 0.855, "share"),
        ("~7.8 s", 7.8, 7.75, 7.85, "time"),
        ("35 ms", 0.035, 0.0345, 0.0355, "time"),
        ("220 x", 220, 219.5, 220.5, "factor"),
        ("~220 x", 220, 215, 225, "factor"),
        ("about 1000x", 1000, 500, 1500, "factor"),
        ("≈ 22 s", 22, 21.5, 22.5, "time"),
        ("0 ms", 0, 0, 0.0005, "time"),
        ("1.5 points", 0.015, 0.0145, 0.0155, "difference"),
    ],
)
def test_a_figure_is_read_with_its_unit_and_what_would_print_the_same(text, value, lowest, highest, dimension):
    quantity = parse_quantity(text)
    assert (quantity.value, quantity.lowest, quantity.highest) == pytest.approx((value, lowest, highest))
    assert (quantity.dimension, str(quantity)) == (dimension, text)


@pytest.mark.parametrize(
    "value", [50.9, 0.509, "0.509", "50,9 %", "-3 %", "5e1 %", "50.9 percent", "", "% 5", "nan %"]
)
def test_anything_else_is_refused_with_the_form(value):
    with pytest.raises(ValueError, match=r'in quotes as it was printed, with its unit .*"50.9 %"'):
        parse_quantity(value)


def test_agreeing_is_overlapping_ends_included():
    quantity = parse_quantity("~220 x")
    assert quantity.agrees_with(225, 230)
    assert quantity.agrees_with(200, 215)
    assert not quantity.agrees_with(225.1, 230)
    assert parse_quantity("53.6 %").agrees_with(0.5365, 0.6)
