"""The default policy over all scripted calls keeps its limits. The longest test: about a minute."""

from __future__ import annotations

import pytest

from benchmarks.conversation.acceptance import LINES, Line, Verdict, judge
from benchmarks.conversation.call import hold
from benchmarks.conversation.policies import POLICIES
from benchmarks.conversation.scenes import all_scenes


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    calls = [hold(scene, POLICIES["default"]) for scene in all_scenes()]
    return {verdict.line.name: verdict for verdict in judge(calls)}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_default_policy_keeps(line: Line, verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts[line.name]
    assert verdict.of > 0, "nothing was measured"
    assert verdict.broken_by == ()
    assert verdict.value <= line.most
