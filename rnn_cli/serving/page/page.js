/**
 * The page: what is typed is predicted while one types; the last text wins, whatever order the answers come in.
 */

import { drawBars, drawExplanation, drawNothing, drawTable, drawVerdict, spoken } from "./answer.js";
import { drawCard } from "./card.js";
import { button, byId, counted, decimal, integer, make, name, pause, percent, say, thousandths } from "./elements.js";
import { examplesFor } from "./examples.js";
import { isScoring, scoreFile } from "./file.js";
import { Problem, ask, hasKey, path, pathOfModel, send, useKey, useModel } from "./server.js";

const TYPING_MS = 150; // so long a pause ends a burst of typing
const EXPLAINED_AT_ONCE = 1000; // characters; of a longer text the label comes first, and the words later
const EXPLAIN_MS = 500;
const SPEAK_MS = 1200; // a screen reader hears the answer once the typing rests
const LINES_AT_ONCE = 100;
const LINES_SHOWN = 300;
const CHARACTERS_AT_ONCE = 200_000;
const UNNAMED = "default"; // what the server calls a model that was given no name
const LABELS_NAMED = 8;
const LABELS_LISTED = 100;

const box = byId("text");
const result = byId("result");
let model = null; // what the server tells of it
let loading = null; // the promise of that
let turn = new AbortController();

// ------------------------------------------------------------------ typing

function texts() {
  const lines = box.value.split(/\r\n|[\n\r\u0085\u2028\u2029]/).filter((line) => line.trim());
  const isSeveral = lines.length > 1;
  byId("lines-choice").hidden = !isSeveral;
  return isSeveral && byId("by-line").checked ? lines : box.value.trim() ? [box.value] : [];
}

/** Predicts what is in the box; gives up as soon as it is called again. */
async function update(rest = TYPING_MS) {
  turn.abort();
  turn = new AbortController();
  const { signal } = turn;
  const given = texts();
  byId("clear").hidden = !box.value;
  const size = given.length > 1 ? counted(given.length, "line") : counted([...box.value].length, "character");
  say(byId("count"), box.value ? size : "");
  await persist(async () => {
    await pause(rest, signal);
    await loaded();
    if (signal.aborted) return undefined;
    if (!given.length) return showNothing();
    return given.length === 1 ? predictOne(given[0], signal) : predictLines(given, signal);
  }, signal);
}

/** Does the work again while the server is busy or away; says what else is wrong. */
async function persist(work, signal) {
  for (;;) {
    try {
      await work();
      return solved();
    } catch (error) {
      if (signal.aborted) return undefined;
      tell(error);
      if (!error.wait) return undefined;
      await pause(1000 * error.wait, signal).catch(() => {});
      if (signal.aborted) return undefined;
    }
  }
}

async function predictOne(text, signal) {
  const isShort = text.length <= EXPLAINED_AT_ONCE;
  const first = await ask(path(isShort ? "explain" : "predict"), { text, proba: true }, signal);
  const [prediction] = first.predictions;
  if (!model.labels.every((label) => Object.hasOwn(prediction.probabilities, label))) {
    loading = null; // the server has another model now
    await loaded();
  }
  const words = make("div", { class: "words" });
  const shown = [drawVerdict(prediction), ...drawBars(prediction, model), words];
  if (isShort) words.append(...drawExplanation(text, prediction));
  else words.append(make("p", { class: "muted" }, "Looking for the words that count …"));
  show(shown, spoken(prediction), signal);
  if (isShort) return;
  solved();
  await pause(EXPLAIN_MS, signal);
  const second = await ask(path("explain"), { text }, signal);
  words.replaceChildren(...drawExplanation(text, second.predictions[0]));
}

async function predictLines(lines, signal) {
  const shown = lines.slice(0, LINES_SHOWN);
  const found = [];
  while (found.length < shown.length) {
    const part = { texts: shown.slice(found.length, portion(shown, found.length)) };
    found.push(...(await ask(path("predict"), part, signal)).predictions);
  }
  const table = drawTable(shown, found, model, look);
  show([...table, more(lines)], `${counted(found.length, "line")} predicted.`, signal);
}

/** Where a request stops that starts with the line at `start`: the server bounds its texts and its bytes. */
function portion(lines, start) {
  let stop = start + 1;
  let size = lines[start].length;
  while (stop < Math.min(lines.length, start + LINES_AT_ONCE) && size + lines[stop].length <= CHARACTERS_AT_ONCE) {
    size += lines[stop].length;
    stop += 1;
  }
  return stop;
}

function more(lines) {
  if (lines.length <= LINES_SHOWN) return null;
  const file = () => new File(lines.map((text) => `${JSON.stringify({ text })}\n`), "lines.jsonl");
  const all = button(`Score all ${integer(lines.length)} as a file`, () => startFile(file()));
  const note = make("span", { class: "muted" }, `These are the first ${integer(LINES_SHOWN)}.`);
  return make("p", { class: "row" }, note, all);
}

/** A row's details: the whole answer for its text. */
function look(text, cell) {
  cell.append(make("p", { class: "muted" }, "…"));
  const draw = ({ predictions: [prediction] }) => {
    const words = make("div", { class: "words" }, ...drawExplanation(text, prediction));
    cell.replaceChildren(...drawBars(prediction, model), words);
  };
  const fail = (error) => cell.replaceChildren(make("p", { class: "problem" }, inWords(error)));
  ask(path("explain"), { text, proba: true }).then(draw, fail);
}

function show(elements, words, signal) {
  result.replaceChildren(...elements.filter(Boolean));
  pause(SPEAK_MS, signal).then(() => say(byId("status"), words), () => {});
}

function showNothing() {
  solved();
  result.replaceChildren(...drawNothing(model));
  say(byId("status"), "");
}

// ---------------------------------------------------------------- problems

const MISTAKE = "The page made a mistake. Please load it again.";
const inWords = (error) => (error instanceof Problem ? error.message : MISTAKE);

function tell(error) {
  if (!(error instanceof Problem)) console.error(error);
  if (error.needsKey) return askForKey(error);
  const place = byId("problem");
  place.hidden = false; // before its words, or they are not heard
  say(place, inWords(error));
  result.classList.add("stale");
  return undefined;
}

function solved() {
  const place = byId("problem");
  place.hidden = true;
  say(place, "");
  result.classList.remove("stale");
  document.body.classList.remove("locked");
}

function askForKey(error) {
  say(byId("key-words"), error.message);
  document.body.classList.toggle("locked", model === null);
  byId("key-form").hidden = false;
  byId("key").focus();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  byId("key").value = "";
  byId("key-form").hidden = true;
  box.focus();
  update(0);
});

// ------------------------------------------------------------------- model

/** Asks once what the model is; typing does not interrupt that. */
function loaded() {
  loading ??= loadModel().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function loadModel() {
  const asked = pathOfModel();
  const found = await ask(asked);
  if (!byId("models").length) offer((await ask("v1/models")).models);
  if (asked !== pathOfModel()) return; // another model has been chosen meanwhile
  model = found;
  const called = model.name === UNNAMED ? model.folder : model.name;
  byId("title").replaceChildren(name(called), ": try it on your texts");
  document.title = byId("title").textContent;
  const labels = counted(model.labels.length, "label");
  const chooses = model.several ? "It chooses any number of" : "It chooses one of";
  const about = model.number ? ["It predicts a number."] : [`${chooses} ${labels}: `, ...listed(model.labels, LABELS_NAMED)];
  byId("about").replaceChildren(...about);
  drawExamples(examplesFor(model.labels));
  drawModel();
}

/** Lets one choose, if the server has several models. */
function offer(models) {
  byId("models").replaceChildren(...models.map((each) => make("option", { value: each.name }, each.name)));
  byId("choice").hidden = models.length < 2;
}

byId("models").addEventListener("change", () => {
  useModel(byId("models").value);
  loading = null;
  update(0);
});

function drawExamples(found) {
  const items = found.map((text) => make("li", {}, button(text, () => {
    box.value = text;
    update(0);
    box.focus({ preventScroll: true });
  }, { class: "example" })));
  byId("examples").querySelector("ul").replaceChildren(...items);
  byId("examples").hidden = false;
}

function drawModel() {
  const { decision, labels, figures, report, card } = model;
  const decides = () => [["decision", ...decisionInWords(decision, labels)], ["unsure", unsureInWords(decision, labels)]];
  const facts = model.number ? [] : decides();
  if (labels.length > LABELS_NAMED) facts.unshift(["labels", ...listed(labels)]);
  const list = make("dl", {}, ...facts.flatMap(([term, ...said]) => [make("dt", {}, term), make("dd", {}, ...said)]));
  const found = figures ? [...drawFigures(figures), list] : [list];
  if (report) found.push(make("p", {}, hasKey() ? reportToSave() : linkToReport()));
  if (card) {
    const title = make("summary", {}, "Model card: intended use, data, limits");
    found.push(make("details", { class: "card" }, title, ...drawCard(card)));
  }
  byId("figures").replaceChildren(...found);
  byId("model").hidden = false;
}

const REPORT = "Report: how good the model is, and its worst mistakes";

const linkToReport = () => make("a", { href: path("report"), target: "_blank", rel: "noopener" }, REPORT);

/** A link would bring no key. */
function reportToSave() {
  return button(REPORT, async () => {
    try {
      const content = await (await send(path("report"), {}, null)).blob();
      const link = make("a", { href: URL.createObjectURL(content), download: "report.html" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers fetch it a moment later
    } catch (error) {
      tell(error);
    }
  }, { class: "plain" });
}

/** The metrics of the model's training, as the report's tiles show them. */
function drawFigures({ side, rows, accuracy, micro_f1: micro, macro_f1: f1, roc_auc: auc, r2, ...more }) {
  const off = accuracy === undefined ? more.mean_absolute_error : undefined;
  const values = [["mean absolute error", off, decimal], ["R²", r2, thousandths], ["micro F1", micro, thousandths], ["accuracy", accuracy, percent], ["macro F1", f1, thousandths], ["ROC AUC", auc, thousandths]];
  const tiles = values.filter(([, value]) => typeof value === "number").map(([title, value, written]) =>
    make("div", { class: "tile" }, make("dt", {}, title), make("dd", {}, written(value))));
  const where = `Measured on ${counted(rows, `${side} row`)} when it was trained.`;
  return tiles.length ? [make("dl", { class: "tiles" }, ...tiles), make("p", { class: "muted" }, where)] : [];
}

function listed(labels, most = LABELS_LISTED) {
  const shown = labels.slice(0, most).flatMap((label, index) => [index ? ", " : "", name(label)]);
  return [...shown, labels.length > most ? ", …" : ""];
}

function decisionInWords({ threshold, thresholds }, labels) {
  if (thresholds) return ["each label from a probability of its own on; a text may reach none"];
  if (labels.length > 2) return ["the most probable label"];
  return [name(labels[1]), ` from ${percent(threshold)} on, else `, name(labels[0])];
}

function unsureInWords({ unsure_below: margin, threshold }, labels) {
  if (!margin) return "never: it always decides";
  const factor = decimal(Math.exp(margin));
  if (labels.length > 2) return `where the most probable label is less than ${factor} times as probable as the next`;
  const shares = [1 - threshold, threshold].map((start, index) => {
    const odds = (start / (1 - start)) * Math.exp(margin);
    return index ? odds / (1 + odds) : 1 / (1 + odds);
  });
  return `where the second label has ${percent(shares[0])} to ${percent(shares[1])}`;
}

// ------------------------------------------------------------------- files

function startFile(file) {
  scoreFile(file, byId("job"), (error) => {
    if (error.needsKey) askForKey(error);
    return inWords(error);
  });
  byId("job").scrollIntoView({ block: "nearest" });
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) byId("drop").classList.remove("over");
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  byId("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) startFile(file);
});
byId("file").addEventListener("change", () => {
  const [file] = byId("file").files;
  if (file) startFile(file);
  byId("file").value = ""; // so that the same file can be chosen again
});
addEventListener("beforeunload", (event) => {
  if (isScoring()) event.preventDefault();
});

// ------------------------------------------------------------------- start

box.addEventListener("input", () => update());
byId("by-line").addEventListener("change", () => update(0));
byId("clear").addEventListener("click", () => {
  box.value = "";
  update(0);
  box.focus();
});

update(0); // a page that is loaded again may keep its text
