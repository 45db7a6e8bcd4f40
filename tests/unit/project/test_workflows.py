"""The release workflow publishes what compose.prod.yaml runs; workflows ask for no more rights than they use."""

import re
from typing import Any

import pytest
import yaml

from tests.unit.project.compose_files import ROOT, load

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    )
    return content


def test_a_release_has_every_image_of_ours_that_production_runs() -> None:
    built = {
        f"gatehouse-{row['image']}": (row["target"], row["lock"], row.get("service"))
        for row in workflow("release.yml")["jobs"]["images"]["strategy"]["matrix"]["include"]
    }
    run = {
        re.split(r"[/:]", service["image"].replace(":-", ""))[1]: (
            service["build"]["target"],
            service["build"]["args"]["LOCK"],
            service["build"]["args"].get("SERVICE"),
        )
        for service in load("compose.prod.yaml")["services"].values()
        if "build" in service
    }
    assert built == run


def test_an_image_is_signed_only_after_it_was_scanned() -> None:
    steps = [str(step) for step in workflow("release.yml")["jobs"]["images"]["steps"]]
    (scanned,) = (number for number, step in enumerate(steps) if "trivy" in step)
    (signed,) = (number for number, step in enumerate(steps) if "cosign sign" in step)
    assert scanned < signed


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_read_and_what_a_job_says(file: Any) -> None:
    content = workflow(file.name)
    assert content["permissions"] == {"contents": "read"}
    text = file.read_text(encoding="utf-8")
    scripts = [step["run"] for job in content["jobs"].values() for step in job["steps"] if "run" in step]
    assert not [script for script in scripts if "${{" in script], "a name from outside would be run as shell"
    assert "pull_request_target" not in text


def test_the_pipeline_is_one_script_wherever_it_runs() -> None:
    (job,) = workflow("ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
