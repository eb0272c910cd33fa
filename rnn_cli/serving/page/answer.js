/**
 * Draws predictions: a verdict, a bar for each label, the unsure zone, the words for and against.
 */

import { button, integer, make, name, percent, weight } from "./elements.js";

const LABELS_IN_ORDER = 6; // up to so many keep their places while one types; of more, the most probable come first
const LABELS_SHOWN = 8;
const LONG_LABEL = 16; // characters; on a phone such labels stand above their bars
const WORDS_NAMED = 5; // as the terminal names them, for and against
const LEAST = 0.005; // a weight that is shown as 0.00
const LEAST_MARKED = 0.1; // of the strongest word's weight, as in the terminal
const CHARACTERS_MARKED = 20_000;

/** The label of one prediction, its probability, and how sure that is. */
export function drawVerdict(prediction) {
  const { label, number, probability, unsure, no_known_words: unknown } = prediction;
  if (unknown) return make("p", { class: "verdict unsure" }, make("b", {}, "no known word"));
  if (number !== undefined) return make("p", { class: "verdict" }, make("b", {}, inDigits(number)));
  const share = make("span", { class: "share" }, percent(probability));
  const said = unsure ? [make("b", {}, "unsure"), " rather ", name(label)] : [make("b", {}, name(label))];
  return make("p", { class: unsure ? "verdict unsure" : "verdict" }, ...said, " ", share);
}

/** An empty drawing, so that nothing jumps when the first prediction comes. */
export function drawNothing(model) {
  const empty = { label: null, probabilities: Object.fromEntries((model?.labels ?? []).map((label) => [label, null])) };
  return [make("p", { class: "verdict waiting" }, "Nothing to read yet"), ...(model ? drawBars(empty, model) : [])];
}

/** A bar for each label, with the unsure zone; `model` is what /v1/model answers. */
export function drawBars(prediction, model) {
  if (model.number) return [];
  const all = model.labels.map((label) => [label, prediction.probabilities[label]]);
  const sorted = all.length > LABELS_IN_ORDER && prediction.label !== null ? all.toSorted((a, b) => b[1] - a[1]) : all;
  const shown = sorted.slice(0, all.length <= LABELS_SHOWN + 1 ? all.length : LABELS_SHOWN);
  const hidden = sorted.slice(shown.length);
  const zone = unsureZone(prediction, model);
  const isPredicted = (label) => prediction.labels?.includes(label) ?? label === prediction.label;
  const bar = (pair) => drawBar(pair, isPredicted(pair[0]), zone);
  const kind = all.some(([label]) => label.length > LONG_LABEL) ? "bars long" : "bars";
  const found = [make("ul", { class: kind, "aria-label": "Probability of each label" }, ...shown.map(bar))];
  if (hidden.length) {
    const rest = make("ul", { class: kind }, ...hidden.map(bar));
    found.push(make("details", { class: "rest" }, make("summary", {}, `${integer(hidden.length)} more labels`), rest));
  }
  if (zone) {
    const swatch = make("span", { class: "zone swatch", "aria-hidden": "true" });
    const words = ["; in the hatched zone another label is too close."];
    words.unshift(`From ${percent(zone[1])} on, the model is sure of `, name(prediction.label));
    found.push(make("p", { class: "legend" }, swatch, make("span", {}, ...words)));
  }
  if (prediction.no_known_words) {
    found.push(make("p", { class: "hint" }, "The model knows no word of this text: the bars mean little."));
  }
  return found;
}

function drawBar([label, probability], isPredicted, zone) {
  const track = make("span", { class: "track", "aria-hidden": "true" });
  const fill = make("span", { class: "fill" });
  fill.style.setProperty("inline-size", `${100 * (probability ?? 0)}%`);
  track.append(fill);
  if (isPredicted && zone) {
    const drawn = make("span", { class: "zone" });
    drawn.style.setProperty("inset-inline-start", `${100 * zone[0]}%`);
    drawn.style.setProperty("inline-size", `${100 * (zone[1] - zone[0])}%`);
    track.append(drawn);
  }
  const share = make("span", { class: "n" }, probability == null ? "–" : percent(probability));
  const called = make("span", { class: "label" }, name(label));
  return make("li", { class: isPredicted ? "predicted" : null }, called, track, share);
}

/**
 * Where the predicted label's probability leaves it unsure, [from, to]; null for a model that always decides.
 *
 * The margin is that of rnn_cli/scoring/decision.py: of two labels the distance to the threshold, of more that between
 * the two most probable, in log-odds. The other labels keep their proportions.
 */
export function unsureZone({ label, probability, probabilities }, { labels, decision }) {
  const { threshold, unsure_below: margin } = decision;
  if (!margin || label === null) return null;
  const share = (odds) => odds / (1 + odds);
  if (labels.length === 2) {
    const odds = threshold / (1 - threshold);
    const own = label === labels[1] ? odds : 1 / odds;
    return [share(own), share(own * Math.exp(margin))];
  }
  const second = Math.max(...labels.filter((other) => other !== label).map((other) => probabilities[other]));
  const odds = second / Math.max(1 - probability, Number.MIN_VALUE);
  return [share(odds), share(odds * Math.exp(margin))];
}

/** The text with its words marked, and the strongest of them with their weights. */
export function drawExplanation(text, prediction) {
  const characters = [...text]; // places are counted in characters, not in JavaScript's halves of them
  const parts = prediction.explanation;
  const strongest = Math.max(0, ...parts.map((part) => Math.abs(part.weight)));
  const found = make("p", { class: "text", dir: "auto" });
  let index = 0;
  for (const { start, end, weight: value } of parts) {
    if (start >= CHARACTERS_MARKED) break;
    const kind = mark(value, strongest);
    const words = characters.slice(start, end).join("");
    const drawn = kind ? make("mark", { class: kind, title: weight(value) }, words) : words;
    found.append(between(characters.slice(index, start).join("")), drawn);
    index = end;
  }
  found.append(between(characters.slice(index, CHARACTERS_MARKED).join("")));
  if (characters.length > CHARACTERS_MARKED) found.append(" …");
  const moves = ["What raises the number, and what lowers it"];
  const speaks = ["What speaks for ", name(explainedLabel(prediction)), ", and what against"];
  const title = make("h3", {}, ...(prediction.number === undefined ? speaks : moves));
  return [title, found, ...named(characters, parts, "for", 1), ...named(characters, parts, "against", -1)];
}

/** The label that an explanation is about: of several the most probable one. */
function explainedLabel({ label, labels, probabilities }) {
  if (!labels) return label;
  return Object.keys(probabilities).reduce((one, other) => (probabilities[other] > probabilities[one] ? other : one));
}

/** A predicted number with four digits. */
function inDigits(number) {
  return String(Number(number.toPrecision(4)));
}

function mark(value, strongest) {
  const strength = Math.abs(value) >= LEAST ? Math.abs(value) / strongest : 0;
  if (strength < LEAST_MARKED) return "";
  return `${value > 0 ? "for" : "against"} s${strength >= 2 / 3 ? 3 : strength >= 1 / 3 ? 2 : 1}`;
}

/** Letters that are in no part were not read, and are pale. */
function between(text) {
  return /[\p{L}\p{N}]/u.test(text) ? make("span", { class: "unread", title: "not read" }, text) : text;
}

function named(characters, parts, kind, sign) {
  const ranked = parts.filter((part) => sign * part.weight >= LEAST).sort((a, b) => sign * (b.weight - a.weight));
  if (!ranked.length) return [];
  const items = ranked.slice(0, WORDS_NAMED).map((part) => {
    const words = characters.slice(part.start, part.end).join("").replace(/\s+/g, " ");
    return make("li", {}, name(words), " ", make("span", { class: "n" }, weight(part.weight)));
  });
  const list = make("ul", { "aria-label": `Words ${kind}` }, ...items);
  return [make("div", { class: `named ${kind}` }, make("h4", {}, kind), list)];
}

/** A table of several predictions. `look(text, cell)` fills a row's details when they are opened. */
export function drawTable(texts, predictions, model, look) {
  const title = (words) => make("th", { scope: "col", class: words === "probability" ? "n" : null }, words);
  const head = make("thead", {}, make("tr", {}, ...["text", ...(model.number ? ["number", ""] : ["label", "probability"])].map(title)));
  const body = make("tbody");
  texts.forEach((text, index) => body.append(...row(text, predictions[index], look)));
  const caption = make("caption", { class: "unseen" }, "Prediction for each line");
  const wide = { class: "wide", tabindex: "0", role: "region", "aria-label": "Predictions" };
  return [model.number ? null : counts(predictions, model), make("div", wide, make("table", { class: "lines" }, caption, head, body))];
}

function row(text, prediction, look) {
  const { label, number, probability, unsure, no_known_words: unknown } = prediction;
  const cell = make("td", { colspan: 3 });
  const details = make("tr", { class: "details", hidden: true }, cell);
  const opener = button("", () => {
    const opens = details.hidden;
    details.hidden = !opens;
    opener.setAttribute("aria-expanded", String(opens));
    if (opens && !cell.childElementCount) look(text, cell);
  }, { class: "opener", "aria-expanded": "false", dir: "auto", title: "Show what speaks for it" });
  opener.append(make("span", { class: "excerpt" }, text));
  const isNumber = number !== undefined;
  const shown = unknown ? "no known word" : unsure ? "unsure" : isNumber ? inDigits(number) : name(label);
  const share = make("td", { class: "n" }, isNumber ? "" : percent(probability));
  if (!isNumber) {
    const fill = make("span", { class: "fill" });
    fill.style.setProperty("inline-size", `${100 * probability}%`);
    share.append(make("span", { class: "track", "aria-hidden": "true" }, fill));
  }
  const called = make("td", { class: "label" }, make("span", {}, shown));
  const first = make("tr", { class: unsure || unknown ? "unsure" : null }, make("td", {}, opener), called, share);
  return [first, details];
}

function counts(predictions, model) {
  const found = new Map(model.labels.map((label) => [label, 0]));
  let unsure = 0;
  for (const each of predictions) {
    if (each.unsure || each.no_known_words) unsure += 1;
    else for (const label of each.labels ?? [each.label]) found.set(label, (found.get(label) ?? 0) + 1);
  }
  const ranked = [...found].filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
  const item = (count, words, kind) => make("li", { class: kind }, make("b", {}, integer(count)), " ", words);
  const items = ranked.slice(0, LABELS_SHOWN).map(([label, count]) => item(count, name(label)));
  if (ranked.length > LABELS_SHOWN) items.push(item(ranked.length - LABELS_SHOWN, "more labels"));
  if (unsure) items.push(item(unsure, "unsure", "muted"));
  return make("ul", { class: "counts", "aria-label": "Predictions of each label" }, ...items);
}

/** One prediction in a sentence, for those who hear the page. */
export function spoken({ label, number, probability, unsure, no_known_words: unknown }) {
  if (unknown) return "The model knows no word of this text.";
  if (number !== undefined) return `${inDigits(number)}.`;
  return unsure ? `Unsure, rather ${label}, ${percent(probability)}.` : `${label}, ${percent(probability)}.`;
}
