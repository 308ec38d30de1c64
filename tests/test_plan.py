"""`rimbench plan` as a user runs it: what it prints where a question has no answer, and what it refuses."""

import json

import pytest
import typer
from typer.testing import CliRunner

from rimbench.cli.plan import plan
from rimbench.errors import UsageError


def invoke(*options):
    app = typer.Typer()
    app.command()(plan)
    done = CliRunner().invoke(app, options)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_thousand_items_detect_4_4_points_paired_and_6_3_unpaired():
    found = json.loads(invoke("--n", "1000", "--margin", "0.03", "--json").stdout)
    assert found["detectable_paired"] == pytest.approx(0.044, abs=0.0005)
    assert found["detectable_unpaired"] == pytest.approx(0.063, abs=0.0005)


def test_what_no_number_of_items_detects_is_said_so():
    shown = invoke("--n", "3", "--margin", "0.5").stdout
    assert "none: not even 25 points" in shown and "none: only 25% differ" in shown
    assert "None" not in shown
    found = json.loads(invoke("--n", "3", "--margin", "0.5", "--json").stdout)
    assert found["detectable_paired"] is None and found["n_to_detect_margin_paired"] is None


@pytest.mark.parametrize("options", [("--margin", "0.6"), ("--base", "0.99")])
def test_an_accuracy_above_100_percent_is_refused(options):
    with pytest.raises(UsageError, match="add up to more than 1"):
        invoke(*options)
    assert invoke("--base", "0.97").exit_code == 0
