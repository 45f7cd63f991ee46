"""What each environment made of each bundle -> a table, and what is wrong with it."""

import json
from collections.abc import Mapping
from typing import Any

from runtime_matrix.environments import Environment

Results = dict[str, dict[str, Any]]
"""By bundle, SUBJECT/VARIANT: `tokens` and `log_probs` by input and beam, or `refused`."""


def parsed(lines: str) -> Results:
    """The output of runtime_matrix.captions."""
    results = {}
    for line in lines.splitlines():
        result = json.loads(line)
        results[result.pop("bundle")] = result
    return results


def faults(environment: Environment, reference: Results, given: Results) -> list[str]:
    """One sentence per bundle that is not as it must be; the reference must caption them all."""
    found = []
    for bundle, expected in reference.items():
        result = given.get(bundle, {})
        if "refused" in expected:
            found.append(f"the reference refuses {bundle}: {expected['refused']}")
        elif "refused" in result:
            if environment.must_caption(bundle):
                found.append(f"{bundle} is refused: {result['refused']}")
        elif not environment.must_caption(bundle):
            found.append(f"{bundle} is not refused")
        elif result.get("tokens") != expected["tokens"]:
            found.append(f"{bundle} has other tokens")
    return found


def table(reference: Results, cells: Mapping[Environment, Results]) -> str:
    """Markdown: bundles down, environments across."""
    rows = [["bundle", *(environment.name for environment in cells)]]
    rows.append(["---"] * len(rows[0]))
    for bundle, expected in reference.items():
        rows.append([bundle, *(_cell(expected, given.get(bundle)) for given in cells.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(expected: dict[str, Any], given: dict[str, Any] | None) -> str:
    """`same`, with the largest difference of a caption's log-probability in nats; or what not."""
    if given is None:
        return "MISSING"
    if "refused" in given:
        return "refused"
    if given["tokens"] != expected.get("tokens"):
        return "OTHER TOKENS"
    scores = expected["log_probs"]
    worst = max(abs(given["log_probs"][key] - score) for key, score in scores.items())
    return f"same, {worst:.0e}" if worst else "same"
