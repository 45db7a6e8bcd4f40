"""kong/render.sh: what it fills in, and what it refuses with file, line and variable."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RENDER = ROOT / "kong" / "render.sh"


def render(template: Path, output: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    path = str(Path(shutil.which("awk") or "/usr/bin/awk").parent)
    return subprocess.run(
        ["sh", str(RENDER), str(template), *([str(output)] if output else [])],
        env={"PATH": f"{path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return tmp_path / "kong.yml.template"


def test_fills_in_values_and_defaults(template: Path) -> None:
    template.write_text('a: "${SET}"\nb: ${UNSET:-3600}\nc: ${SET:-other}/${EMPTY:-x}\n')
    assert render(template, SET="v", EMPTY="").stdout == 'a: "v"\nb: 3600\nc: v/x\n'


def test_an_unset_variable_stops_it_with_file_line_and_name(template: Path, tmp_path: Path) -> None:
    template.write_text('one: "${SET}"\ntwo: "${AUTH_URL}"\nthree: "${MEMBER_URL}"\n')
    output = tmp_path / "kong.yml"
    refused = render(template, output, SET="v")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"{template}:2: the variable AUTH_URL is not set",
        f"{template}:3: the variable MEMBER_URL is not set",
    ]
    assert list(tmp_path.iterdir()) == [template]


def test_leaves_the_last_good_file_alone_when_it_refuses(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "kong.yml"
    output.write_text("good")
    template.write_text('"${NOWHERE}"')
    assert render(template, output).returncode == 1
    assert output.read_text() == "good"


def test_a_byte_order_mark_is_no_part_of_the_first_line(template: Path) -> None:
    template.write_text("# ${VAR}\na: 1\n", encoding="utf-8-sig")
    assert render(template).stdout == "# ${VAR}\na: 1\n"


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_a_file_without_anything_is_refused(template: Path, text: str) -> None:
    template.write_text(text)
    refused = render(template)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"{template}: there is nothing in it\n"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("plugins: []\nservices: []\nplugins: []\n", 3, "plugins"),
        ("a:\n  - name: x\n    plugins: [y]\n    routes:\n      - name: z\n    plugins: []\n", 6, "plugins"),
        ("a:\n- name: x\n  url: y\n  url: z\n", 4, "url"),
        ('a:\n  "b": 1\n  c: 2\n  b: 3\n', 4, "b"),
        ("a: &x [\n  1]\nb: {c: 1, c: 2}\na: 3\n", 4, "a"),
        ("a: |\n  text\na: 1\n", 3, "a"),
        ("a:\n  - - b: 1\n      b: 2\n", 3, "b"),
        ("a: it's\na: it's\n", 2, "a"),
        ("a: 1\r\na: 2\r\n", 2, "a"),
    ],
)
def test_a_key_that_is_there_twice_would_undo_the_first_and_is_refused(
    template: Path, text: str, line: int, key: str
) -> None:
    template.write_text(text, newline="")
    refused = render(template)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"{template}:{line}: {key} is there twice, and Kong takes the last one alone"
    ]


@pytest.mark.parametrize(
    ("text", "line"), [("a:\n\tb: 1\n", 2), ("a:\n  - b: 1\n\t- c: 2\n    d: 1\n    d: 1\n", 3)]
)
def test_a_line_that_a_tab_indents_is_named(template: Path, text: str, line: int) -> None:
    template.write_text(text, encoding="utf-8")
    assert render(template).stderr.splitlines()[0] == (
        f"{template}:{line}: a tab is in front of it, and YAML counts spaces alone"
    )


def test_a_tab_in_text_is_text(template: Path) -> None:
    template.write_text("a: |\n  if x then\n  \tb: 1\nd: word\n\tand more\n", encoding="utf-8")
    assert render(template).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  - name: x\n  - name: x\nb:\n  name: x\n",
        "a:\n- name: x\n- name: x\n",
        "a: |\n  local b: c\n  local b: c\nd: >-\n  b: c\n\n  b: c\n",
        "a:\n  - |\n    b: 1\n    b: 1\n  - &x |\n    b: 1\n    b: 1\n",
        "a: [\n  {\n  b: 1},\n  {\n  b: 1}]\n",
        "--- {a: {\n  b: 1}, c: {\n  b: 1}}\n",
        'a: "\n  b: 1\n  b: 1"\n',
        "a:\n  b:\n    c: 1\n  d:\n    c: 1\n",
        "a:\n  - don't\n  - b: 1\n  - b: 1 # it's\n  - b: 1\n",
        "a: 1\n# a: 2\n",
        'a:\n  - b: "{"\n  - b: ~/x/[a-z]{2\n  - b: 1\n',
    ],
)
def test_what_only_looks_like_a_key_that_is_there_twice_is_none(template: Path, text: str) -> None:
    template.write_text(text)
    assert render(template).stdout == text


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a'b", "a: b # c", "${X}", "&anchor", "", "$&\\1"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_any_value_inside_quotes_is_that_value_and_nothing_else(
    template: Path, value: str, quote: str
) -> None:
    template.write_text(f"key: {quote}<${{VALUE}}>{quote}\nnext: 1\n")
    rendered = render(template, VALUE=value)
    assert yaml.safe_load(rendered.stdout) == {"key": f"<{value}>", "next": 1}


@pytest.mark.parametrize(
    "value", ["a: b", "x # y", "[1]", "{a}", "*alias", "&a", "", "- a", "a:", "!tag", '"', "'"]
)
def test_a_value_outside_of_quotes_may_not_mean_anything_in_yaml(template: Path, value: str) -> None:
    template.write_text("ok: 1\nkey: ${VALUE}\n")
    refused = render(template, VALUE=value)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{template}:2: the value of VALUE cannot stand outside of quotes")


def test_a_value_with_a_line_break_is_refused(template: Path) -> None:
    template.write_text('key: "${VALUE}"\n')
    assert render(template, VALUE="a\nadmin: true").stderr == (
        f"{template}:1: the value of VALUE has a control character\n"
    )


@pytest.mark.parametrize("wrong", ["${A-b}", "${A:?b}", "${}", "${1A}", "${A B}", "${unclosed"])
def test_other_forms_are_refused(template: Path, wrong: str) -> None:
    template.write_text(f"key: {wrong}\n")
    refused = render(template, A="v", unclosed="v")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{template}:1: ")


def test_comments_are_copied_and_lines_keep_their_numbers(template: Path) -> None:
    template.write_text("# ${NOT_A_VARIABLE}\n\n  # ${NEITHER}\na: ${A}\n")
    assert render(template, A="1").stdout == "# ${NOT_A_VARIABLE}\n\n  # ${NEITHER}\na: 1\n"


def test_the_output_is_for_its_owner_only(template: Path, tmp_path: Path) -> None:
    template.write_text("a: 1\n")
    output = tmp_path / "kong.yml"
    assert render(template, output).returncode == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = render(tmp_path / "nowhere")
    assert missing.returncode == 1
    assert "nowhere" in missing.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n---\nb: 2\n", 2),
        ("---\n---\nb: 2\n", 2),
        ("a: 1\n...\n# a remark\nb: 2\n", 4),
        ("a: 1\n--- {b: 2}\n", 2),
    ],
)
def test_what_kong_would_leave_out_is_refused(template: Path, text: str, line: int) -> None:
    """It reads the first YAML document of a file, and says nothing of others."""
    template.write_text(text)
    refused = render(template)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{template}:{line}: ")
    assert "Kong would leave it out" in refused.stderr


@pytest.mark.parametrize(
    "text", ["# c\n%YAML 1.1\n---\na: 1\n...\n", "a: |\n  ---\n  ...\n  b\n", "\n--- # c\na: 1\n\n# end\n"]
)
def test_marks_of_the_one_document_are_copied(template: Path, text: str) -> None:
    template.write_text(text)
    assert render(template).stdout == text
