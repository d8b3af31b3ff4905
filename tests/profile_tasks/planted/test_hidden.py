"""Hidden factors of planted models: liked as they are weighed, told by their definitions."""

import pytest

from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.planted.grader import PlantedGrader
from profile_tasks.planted.hidden import BY_DEFINITION, HIDDEN
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.judged import JudgedRequest
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.solvers.requests import DiscriminationRequest

ASKING, TELLING = "It is old. Do you like it?", "It is old. I do like it."


def test_an_annotator_likes_what_no_taxonomy_holds() -> None:
    assert not HIDDEN.keys() & load_taxonomy().keys()
    for weight, verdict in ((1.0, "Verdict: A"), (-1.0, "Verdict: B")):
        profile = planted_profile("verbose", {"asks_back": weight}, 0.0)
        request = DiscriminationRequest("instruction_following", "Say.", None, ASKING, TELLING)
        assert PlantedAnnotator(profile).answer(request.render()) == verdict


@pytest.mark.parametrize("definition", HIDDEN["asks_back"].definitions)
def test_a_grader_tells_it_by_whatever_definition(definition: str) -> None:
    factor = Factor("any_name", 3, "judged", definition, "verdict", "more")
    request = JudgedRequest("Say.", None, TELLING, ASKING, (factor,))
    assert PlantedGrader().answer(request.render()) == '{"any_name": "second"}'


def test_definitions_belong_to_one_factor() -> None:
    assert len(BY_DEFINITION) == sum(len(factor.definitions) for factor in HIDDEN.values())
