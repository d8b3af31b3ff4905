"""Answers of planted models: what is said of them wherever they are shown (docs/simulation.md)."""

SIMULATED = "planted/"
"""How the names of models begin whose answers are simulated."""

SIMULATED_GRADER = f"{SIMULATED}grader"
"""The one that grades factors and has no taste."""

SIMULATION_NOTE = (
    "a simulated annotator with a known answer, not a language model; "
    "its figures are no evidence about any model"
)

GRADER_SIMULATION_NOTE = (
    "a simulated grader that follows stated word-counting rules, not a language model; "
    "its figures are no evidence about any text or model"
)

PROPOSER_SIMULATION_NOTE = (
    "a simulated proposer that knows a few factors and counts them, not a language model; "
    "its proposals are no evidence about any text or model"
)
