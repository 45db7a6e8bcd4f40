"""kong/render.sh looks for keys that are there twice without a parser of YAML. Here is one that it is held against."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

RENDER = Path(__file__).parents[3] / "kong" / "render.sh"
KEYS = ("name", "plugins", "config", "services", "routes", "url", "a-b", "a.b")
TEXTS = (
    *("name: x", "plugins:", "it's", 'say "hi"', "- b", "[x", "{y: 1", "x # c", "| pipe", "key: |", "'q", "#h", "---"),
    *("multi\nname: here\n  url: v\nname: w\n", "http://x:80/y?z={a}", "~/api/[^/]+$", "end with colon:"),
    *("trailing \\", "long " * 12 + "name: value " * 5, "", "yes", "a: b: c", "tab\there"),
)  # fmt: skip


class Styles(yaml.SafeDumper):
    """Each text and list as it falls: quoted or not, folded, on several lines, indented or not."""

    chance = random.Random(0)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless and self.chance.random() < 0.5)


def text_of(dumper: Styles, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=dumper.chance.choice((None, "|", ">", '"', "'"))
    )


Styles.add_representer(str, text_of)


def value(depth: int) -> Any:
    chance, kind = Styles.chance, Styles.chance.random()
    if depth > 3 or kind < 0.5:
        return chance.choice((*TEXTS, 1, None, True))
    if kind < 0.75:
        return {key: value(depth + 1) for key in chance.sample(KEYS, chance.randint(0, 4))}
    return [value(depth + 1) for _ in range(chance.randint(0, 4))]


def document(seed: int) -> yaml.Node:
    Styles.chance = random.Random(seed)
    keys = Styles.chance.sample(KEYS, 4)
    written = yaml.dump({key: value(0) for key in keys}, Dumper=Styles, default_flow_style=False)
    node = yaml.compose(written)
    assert node is not None
    return node


def mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Those with keys that stand in blocks."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        yield node
    for each in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in each if isinstance(each, tuple) else (each,):
            yield from mappings(part)


def refused(node: yaml.Node, template: Path, *, in_brackets: bool = False) -> str:
    if in_brackets:
        for mapping in mappings(node):
            mapping.flow_style = Styles.chance.random() < 0.5
    start, width = Styles.chance.random() < 0.3, Styles.chance.choice((20, 80, 1000))
    template.write_text(yaml.serialize(node, Dumper=Styles, width=width, explicit_start=start))
    return subprocess.run(
        ["sh", str(RENDER), str(template)], capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("seed", range(60))
def test_no_document_without_one_is_refused(tmp_path: Path, seed: int) -> None:
    assert "twice" not in refused(document(seed), tmp_path / "kong.yml.template", in_brackets=True)


@pytest.mark.parametrize("seed", range(60))
def test_one_is_seen_in_whichever_block_it_is(tmp_path: Path, seed: int) -> None:
    node = document(seed)
    mapping = Styles.chance.choice(list(mappings(node)))
    key = Styles.chance.choice(mapping.value)[0]
    again = yaml.ScalarNode(key.tag, key.value, style=Styles.chance.choice((None, '"', "'")))
    mapping.value.append((again, yaml.ScalarNode("tag:yaml.org,2002:str", "another")))
    assert f"{key.value} is there twice" in refused(node, tmp_path / "kong.yml.template")
