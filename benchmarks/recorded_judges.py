"""What real judges prefer, beside people: verdicts that others recorded, and a picture of them.

    python benchmarks/recorded_judges.py ../shared/data/recorded [--page docs/findings.md]

Runs `profile-tasks judges` on every file of the folder, writes its tables into the page, between
the two marks there, and draws docs/findings.png. RECORDED: no model is asked.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

START, END = "<!-- recorded judges: start -->", "<!-- recorded judges: end -->"
HOME = Path(__file__).parents[1]

TITLES = {
    "if_llmbar_judges": "LLMBar: instruction following, made to mislead",
    "if_mtbench_faireval_judges": "MT-Bench and FairEval: instruction following",
    "if_llmeval2_judges": "LLMEval2: instruction following",
    "if_pandalm_judges": "PandaLM: instruction following",
    "qa_mtrag": "MTRAG: answers with documents",
    "qa_ragchecker": "RAGChecker: answers with documents",
}
SHOWN = {
    "if_llmbar_judges": {
        "gpt4_vanilla_norules": "GPT-4",
        "palm2_vanilla_norules": "PaLM 2",
        "chatgpt_vanilla_norules": "ChatGPT",
        "llama2_vanilla_norules": "LLaMA-2-70B",
    },
    "if_mtbench_faireval_judges": {
        "gpt4_vanilla_norules": "GPT-4",
        "palm2_vanilla_norules": "PaLM 2",
        "chatgpt_vanilla_norules": "ChatGPT",
        "llama2_vanilla_norules": "LLaMA-2-70B",
    },
    "if_pandalm_judges": {"gpt35turbo": "GPT-3.5", "pandalm7b": "PandaLM-7B"},
}
"""Panels of the picture: file -> judge -> its name."""
ASKED_IN_WORDS = {
    "if_llmbar_judges": {
        "gpt4": "GPT-4",
        "chatgpt": "ChatGPT",
        "llama2": "LLaMA-2-70B",
        "palm2": "PaLM 2",
        "falcon": "Falcon-180B",
    },
}
"""Judges that were asked in several wordings: file -> as its columns begin -> its name."""

Record = Mapping[str, Any]


def judged(file: Path) -> Record:
    """What `profile-tasks judges` says of a file."""
    command = [sys.executable, "-c", "from profile_tasks.cli import main; main()"]
    command += ["judges", str(file), "--skip-bad-rows", "--format", "json"]
    command += [f"--wordings={judge}" for judge in ASKED_IN_WORDS.get(file.stem, ())]
    run = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: Record = json.loads(run.stdout)
    return found


def signed(value: float | None) -> str:
    """A tau, or why there is none."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def with_interval(entry: Record, name: str, *, plain: bool = False) -> str:
    """A value with its interval in one cell; – where it is not defined."""
    value, low, high = (entry.get(key) for key in (name, f"{name}_ci_low", f"{name}_ci_high"))
    written = (lambda each: f"{each:.2f}") if plain else signed
    if value is None:
        return "–"
    return written(value) + ("" if low is None else f" [{written(low)}, {written(high)}]")


def tables(file: Path, record: Record) -> Iterator[str]:
    """The Markdown about one file."""
    people, judges = record["people"]["factors"], record["judges"]
    yield f"### {TITLES.get(file.stem, file.stem)}\n"
    yield f"`profile-tasks judges {file.name} --skip-bad-rows`\n"
    yield (
        f"{record['people']['n_pairs']} pairs that people decided, {len(judges)} judges. "
        f"People's tau of length: {signed(people['length']['tau'])} "
        f"[{signed(people['length']['ci_low'])}, {signed(people['length']['ci_high'])}].\n"
    )
    yield (
        "| judge | n | half credit | decided (n) | flips | first position | tau of length | "
        "less people's | differs in | other factors that differ |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, judge in judges.items():
        length = judge["factors"]["length"]
        difference = length["difference"]
        ends = {f"difference_{end}": difference[end] for end in ("ci_low", "ci_high")}
        named = {"difference": difference["value"], **ends}
        others = [
            f"{factor} {signed(each['difference']['value'])}"
            for factor, each in judge["factors"].items()
            if factor != "length" and (each["difference"]["p_adjusted"] or 1) <= 0.05
        ]
        mark = "**" if (difference["p_adjusted"] or 1) <= 0.05 else ""
        decided = with_interval(judge, "accuracy_decided", plain=True).split(" ")[0]
        cells = [
            name,
            judge["n"],
            with_interval(judge, "accuracy_half_credit", plain=True),
            f"{decided} ({judge['n_decided']})",
            with_interval(judge, "flip_rate", plain=True).split(" ")[0],
            with_interval(judge, "first_position_rate", plain=True).split(" ")[0],
            signed(length["tau"]),
            f"{mark}{with_interval(named, 'difference')}{mark}",
            judge["taste"]["verdict"].removeprefix("differs in "),
            ", ".join(others) or "none told",
        ]
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""


def wordings(file: Path, record: Record) -> Iterator[str]:
    """The Markdown about judges that were asked in several wordings, the most biased first."""
    names, found = ASKED_IN_WORDS[file.stem], record["wordings"]

    def of(judge: str, probe: str) -> Record:
        entry: Record = found[judge]["probes"][probe]
        return {probe: entry["value"], **{f"{probe}_{e}": entry[e] for e in ("ci_low", "ci_high")}}

    def effect(judge: str, probe: str) -> str:
        told = found[judge]["probes"][probe]
        tested, rejects = told["null"] is not None, (told["p_adjusted"] or 1) <= 0.05
        shown = with_interval(of(judge, probe), probe)
        if rejects:
            return f"**{shown}**"
        return f"{shown}, could have shown {told['detectable']:.2f}" if tested else shown

    by_bias = sorted(names, key=lambda judge: -of(judge, "position")["position"])
    options = " ".join(f"--wordings {judge}" for judge in names)
    yield "#### LLMBar: the order shown, and the words of the question\n"
    yield f"`profile-tasks judges {file.name} --skip-bad-rows {options}`\n"
    yield (
        "Five prompts a judge, both orders, ordered by position bias. Bold: the null is rejected "
        "(5 %, Holm over the two tests of a judge). Else the smallest effect that as many sources "
        "show with a chance of 80 %.\n"
    )
    yield (
        "| judge | first shown, share − 1/2 | flips | differs in another wording | widest "
        "difference of tau between two wordings | of | least alike profiles, r |"
    )
    yield "|---|---|---|---|---|---|---|"
    for judge in by_bias:
        where = found[judge]["probes"]["wording_taste"]["where"].replace(f"{judge}_", "")
        cells = [
            names[judge],
            effect(judge, "position"),
            with_interval(of(judge, "position_flips"), "position_flips", plain=True),
            with_interval(of(judge, "wording"), "wording", plain=True),
            effect(judge, "wording_taste"),
            where,
            with_interval(of(judge, "wording_alignment"), "wording_alignment"),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def draw(records: Mapping[str, Record], path: Path) -> None:
    """The influence of length on people and on judges, a panel a file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from profile_tasks.report.drawing import COLOURS, STYLE

    with mpl.rc_context(STYLE):
        rows = [len(judges) + 1 for judges in SHOWN.values()]
        figure = Figure(figsize=(6.6, 0.27 * sum(rows) + 1.3), layout="constrained")
        axes = figure.subplots(len(SHOWN), 1, sharex=True, height_ratios=rows)
        for panel, (stem, judges) in zip(axes, SHOWN.items(), strict=True):
            people = records[stem]["people"]["factors"]["length"]
            entries = {"people": people} | {
                shown: records[stem]["judges"][name]["factors"]["length"]
                for name, shown in judges.items()
            }
            panel.axvspan(people["ci_low"], people["ci_high"], color=COLOURS["human"], alpha=0.12)
            panel.axvline(0, color=COLOURS["muted"], linewidth=0.8)
            for row, (name, entry) in enumerate(entries.items()):
                colour = COLOURS["human" if name == "people" else "recorded"]
                panel.plot([entry["ci_low"], entry["ci_high"]], [row, row], color=colour)
                panel.plot(entry["tau"], row, "o" if name == "people" else "v", color=colour)
            panel.set_yticks(range(len(entries)), list(entries))
            panel.set_ylim(len(entries) - 0.4, -0.6)
            panel.set_title(TITLES[stem], loc="left", fontsize=8.5)
        axes[-1].set_xlim(-1, 1)
        axes[-1].set_xlabel(
            "influence of length, tau with 95 % interval: −1 shorter always preferred, "
            "+1 longer always"
        )
        figure.savefig(path, dpi=160)


def main() -> None:
    """Measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, default=HOME / "docs" / "findings.md")
    options = parser.parse_args()
    files = [options.folder / f"{stem}.jsonl" for stem in TITLES]
    records = {file.stem: judged(file) for file in files}
    text = "\n".join(
        line
        for file in files
        for line in (
            *tables(file, records[file.stem]),
            *(wordings(file, records[file.stem]) if file.stem in ASKED_IN_WORDS else ()),
        )
    )
    page = options.page.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    options.page.write_text(f"{before}{START}\n\n{text}\n{END}{after}", encoding="utf-8")
    draw(records, options.page.with_suffix(".png"))


if __name__ == "__main__":
    main()
