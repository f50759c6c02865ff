"""Options of a map window: how numbers are written, and how errors name what was typed."""

import shlex

import click
import pytest
from click.testing import CliRunner

from samgis_process.cli import prompts
from samgis_process.cli.window import BBOX, POINT, WindowCommand
from samgis_process.errors import Fault, InvalidRequest


@click.command(cls=WindowCommand)
@click.option("--bbox", type=BBOX)
@click.option("--layer", "layers", multiple=True)
@click.option("--min-area", type=float)
def window(bbox, **_):
    click.echo(bbox)


@click.command(cls=prompts.PromptCommand)
@click.option("--point", type=POINT, multiple=True)
@click.option("--exclude", type=POINT, multiple=True)
@click.option("--box", type=BBOX, multiple=True)
@click.option("--bbox", type=BBOX)
@click.pass_context
def pointed(ctx, **_):
    found = prompts.inputs(ctx)["prompt"]
    raise InvalidRequest(Fault(f"prompt[{len(found) - 1}].data.lat", f"{found}"))


def output(command, *arguments):
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    return done.output.strip()


@pytest.mark.parametrize("corners", [("-1,2.5,3,4",), ("-1", "2.5", "3", "4")])
def test_corners_are_written_with_commas_or_apart(corners):
    assert output(window, "--bbox", *corners, "--layer", "slope") == "[-1.0, 2.5, 3.0, 4.0]"


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "1,2,3,east", ""])
def test_what_is_no_window_is_shown_as_it_was_typed(text):
    done = CliRunner().invoke(window, ["--bbox", text])
    assert done.exit_code == 2
    assert f"'{text}' is not W,S,E,N in degrees" in done.output


def test_prompts_keep_the_order_in_which_they_were_typed():
    typed = "--exclude 1,2 --point -3,4 --box 1,2,3,4 --point 5,6 --exclude 7,8"
    error = CliRunner().invoke(pointed, shlex.split(typed)).exception
    (fault,) = error.faults
    found = eval(fault.message)  # noqa: S307  our own words
    assert [one["type"] for one in found] == ["point", "point", "rectangle", "point", "point"]
    assert [one.get("label") for one in found] == [0, 1, None, 1, 0]
    assert [one["data"].get("lng") for one in found] == [1, -3, None, 5, 7]
    assert fault.input == "--exclude 7,8"


def test_a_window_before_prompts_may_be_written_apart():
    arguments = ["--bbox", "1", "-2", "3", "4", "--point", "5,6"]
    error = CliRunner().invoke(pointed, arguments).exception
    assert error.faults[0].input == "--point 5,6"


def test_without_prompts_there_is_nothing_to_do():
    done = CliRunner().invoke(pointed, ["--bbox", "1,2,3,4"])
    assert done.exit_code == 2
    assert "give --point or --box" in done.output


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (Fault("bbox west", "x"), Fault("--bbox", "x")),
        (Fault("layers[1]", "x"), Fault("--layer", "x")),
        (Fault("min_area", "", "", "no min_area"), Fault("--min-area", "", "", "no --min-area")),
        (Fault("bbox", "x", "samgis.bbox_limit"), Fault("--bbox", "x", "samgis.bbox_limit")),
        (Fault("a.b", "x", "limits.max_pixels"), Fault("a.b", "x", "limits.max_pixels")),
    ],
)
def test_faults_name_options(fault, named):
    @click.command(cls=WindowCommand, params=window.params)
    def failing(**_):
        raise InvalidRequest(fault)

    assert CliRunner().invoke(failing).exception.faults == (named,)
