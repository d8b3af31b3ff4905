"""Which factors a run measures."""

from pathlib import Path

import pytest

from profile_tasks.scorers.factors.choice import measured_factors, needing_grader

JUDGED = {"fluency": "judged", "coherence": "judged"}


def ids(selection: str, *, grader: bool, **learned_by: str) -> list[str]:
    chosen = measured_factors(
        selection, "summarization", grader=grader, learned_by=JUDGED | learned_by
    )
    return [factor.id for factor in chosen]


def test_auto_is_core_with_a_grader_and_surface_without() -> None:
    assert ids("auto", grader=True) == ids("core", grader=False)
    assert ids("auto", grader=False) == ids("surface", grader=True)
    assert "hallucination" in ids("auto", grader=True)


def test_a_learned_factor_keeps_its_place_and_needs_no_grader() -> None:
    chosen = measured_factors(
        "core", "summarization", grader=True, learned_by=JUDGED | {"fluency": "unieval"}
    )
    assert [factor.id for factor in chosen] == ids("core", grader=True)
    kinds = {factor.id: factor.kind for factor in chosen}
    assert (kinds["fluency"], kinds["coherence"]) == ("learned", "judged")
    assert "fluency" not in needing_grader(chosen)
    assert "coherence" in needing_grader(chosen)


def test_a_learned_factor_is_measured_where_the_selection_leaves_it_out() -> None:
    assert ids("auto", grader=False, coherence="unieval")[-1] == "coherence"


def test_a_surface_function_that_cannot_be_imported_is_refused_where_it_is_chosen(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.yaml").write_text(
        "version: 1\nfactors:\n  - {id: charm, kind: surface, tasks: [summarization], "
        "definition: Charm., function: 'no_such_module:charm'}\n"
    )
    with pytest.raises(ImportError, match="Factor 'charm': cannot import its function"):
        ids(f"{tmp_path / 'own.yaml'},length,charm", grader=True)
    assert ids(f"{tmp_path / 'own.yaml'},length", grader=True) == ["length"]
