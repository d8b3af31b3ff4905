"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const project = JSON.parse(byId("project").textContent);
  const { tasks, factors } = project;
  const kept = `profile-tasks ${project.project} ${project.sheet}`;
  const form = byId("task");
  const texts = ["request", "source", "first", "second"];
  const keys = { a: "first", b: "second", t: "tie" };

  // What was answered, by task; and where the annotator is.

  let state = { name: "", at: 0, answers: {} };
  let since = null; // Since when the pair has been seen; null while it is not.

  const answerOf = (task) => state.answers[task] ?? { preference: null, skipped: false, factors: {}, seconds: 0, comment: "" };
  const isDone = (task) => answerOf(task).preference !== null || answerOf(task).skipped;
  const tell = (text) => { byId("problem").textContent = text; };

  function keep() {
    try {
      localStorage.setItem(kept, JSON.stringify(state));
      byId("unkept").hidden = true;
    } catch {
      byId("unkept").hidden = false;
    }
  }

  function restore() {
    try {
      const found = JSON.parse(localStorage.getItem(kept));
      if (found !== null) state = found;
    } catch {
      // Nothing is kept here, or no longer readable: begin anew.
    }
  }

  // The question on the page.

  const chosen = (name) => form.elements[name].value || null;

  function choose(name, value) {
    for (const radio of form.elements[name]) radio.checked = radio.value === value;
  }

  const look = () => { since = document.visibilityState === "visible" ? performance.now() : null; };

  function take() {
    if (state.at >= tasks.length) return;
    const { task } = tasks[state.at];
    const answer = answerOf(task);
    const seen = since === null ? 0 : (performance.now() - since) / 1000;
    look();
    const given = factors.map((factor) => [factor, chosen(`factor_${factor}`)]).filter(([, side]) => side !== null);
    const preference = chosen("preference");
    state.answers[task] = {
      preference,
      skipped: preference === null && answer.skipped,
      factors: Object.fromEntries(given),
      seconds: Math.round((answer.seconds + seen) * 10) / 10,
      comment: byId("comment").value,
    };
    keep();
    progress();
  }

  function progress() {
    if (state.at < tasks.length) byId("which").textContent = `Pair ${state.at + 1} of ${tasks.length}${answerOf(tasks[state.at].task).skipped ? ", skipped" : ""}`;
    const done = tasks.filter(({ task }) => isDone(task)).length;
    byId("done").value = done;
    byId("status").textContent = done === tasks.length
      ? `All ${tasks.length} pairs are answered or skipped. Save them as a file, and send it back.`
      : `${done} of ${tasks.length} pairs answered or skipped`;
  }

  function show(focus) {
    tell("");
    progress();
    form.hidden = state.at >= tasks.length;
    byId("again").hidden = !form.hidden;
    if (form.hidden) {
      byId("save").focus();
      return;
    }
    const task = tasks[state.at];
    const answer = answerOf(task.task);
    byId("about").hidden = task.source === null;
    for (const text of texts) byId(text).textContent = task[text] ?? "";
    choose("preference", answer.preference);
    for (const factor of factors) choose(`factor_${factor}`, answer.factors[factor] ?? null);
    byId("comment").value = answer.comment;
    byId("back").disabled = state.at === 0;
    look();
    if (focus) {
      byId("which").focus({ preventScroll: true });
      byId("which").scrollIntoView({ block: "start" });
    }
  }

  // What the annotator does.

  function go(by) {
    state.at = Math.min(tasks.length, Math.max(0, state.at + by));
    keep();
    show(true);
  }

  function next() {
    if (form.hidden) return;
    take();
    if (isDone(tasks[state.at].task)) go(1);
    else tell("Choose an answer, or skip the pair.");
  }

  function back() {
    take();
    if (state.at > 0) go(-1);
  }

  function skip() {
    if (form.hidden) return;
    choose("preference", null);
    take();
    Object.assign(state.answers[tasks[state.at].task], { skipped: true, factors: {} });
    go(1);
  }

  function save() {
    take();
    state.name = byId("name").value.trim();
    keep();
    const annotator = state.name || project.sheet;
    const given = tasks.filter(({ task }) => isDone(task)).map(({ task }) => ({ task, ...answerOf(task) }));
    const content = { profile_tasks_answers: 1, project: project.project, sheet: project.sheet, annotator, answers: given };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    link.download = `answers-${project.project}-${annotator.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const isGiven = (side) => Object.values(keys).includes(side);
  const isAnswer = ({ preference, skipped, factors: given, seconds, comment }) => (skipped ? preference === null : isGiven(preference))
    && Object.values(given).every(isGiven) && Number.isFinite(seconds) && typeof comment === "string";

  async function load(file) {
    try {
      const content = JSON.parse(await file.text());
      if (content.project !== project.project || content.sheet !== project.sheet) {
        tell("That file holds the answers to another page. Choose the one that this page saved.");
        return;
      }
      const loaded = {};
      for (const { task, ...answer } of content.answers) {
        if (!tasks.some((each) => each.task === task) || !isAnswer(answer)) throw new TypeError("no answer");
        loaded[task] = answer;
      }
      const name = content.annotator === project.sheet ? "" : content.annotator;
      // What was answered here and is not in the file stays, unless somebody else answered it.
      const here = name && state.name && name !== state.name ? {} : state.answers;
      state = { name, at: 0, answers: { ...here, ...loaded } };
      const open = tasks.findIndex(({ task }) => !isDone(task));
      state.at = open < 0 ? tasks.length : open;
      byId("name").value = state.name;
      keep();
      show(true);
    } catch {
      tell("That file holds no answers that this page saved.");
    }
  }

  for (const button of ["back", "again"]) byId(button).addEventListener("click", back);
  byId("skip").addEventListener("click", skip);
  byId("save").addEventListener("click", save);
  byId("load").addEventListener("change", (event) => {
    if (event.target.files.length > 0) load(event.target.files[0]);
    event.target.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    next();
  });
  form.addEventListener("change", take);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look();
    else take();
  });
  addEventListener("storage", ({ key }) => { // another tab with this page
    if (key !== kept) return;
    const { at } = state;
    const writing = byId("comment") === document.activeElement && byId("comment").value;
    restore();
    state.at = at;
    byId("name").value = state.name;
    show(false);
    if (writing) byId("comment").value = writing;
  });

  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const writing = target.matches("textarea, input[type=text]");
    if (writing && event.key === "Escape") byId("which").focus();
    if (writing || !byId("keys").checked || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.toLowerCase();
    const actions = form.hidden ? {} : {
      ...Object.fromEntries(Object.entries(keys).map(([letter, side]) => [letter, () => { choose("preference", side); take(); tell(""); }])),
      s: skip,
      c: () => byId("comment").focus(),
    };
    if (!target.matches("input[type=radio], [role=group]")) Object.assign(actions, { arrowright: next, arrowleft: back });
    if (!target.matches("button, summary, input[type=checkbox], input[type=file]")) actions.enter = next;
    if (!(key in actions) || event.repeat) return;
    event.preventDefault();
    actions[key]();
  });

  restore();
  byId("name").value = state.name;
  byId("how").open = Object.keys(state.answers).length === 0;
  show(false);
})();
