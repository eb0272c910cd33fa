/**
 * A model card's Markdown as elements: what rnn writes into cards, and nothing that could run or load anything.
 */

import { make } from "./elements.js";

const INLINE = new RegExp(
  [
    /`([^`]+)`/, // code
    /\*\*((?:\\.|[^*\\])+)\*\*/, // strong
    /\[((?:\\.|[^\]\\])+)\]\([^)\s]*\)/, // a link
    /\\([!-/:-@[-`{-~])/, // a sign as it is
    /&(amp|lt|gt|quot|#39);/,
  ].map((each) => each.source).join("|"),
  "g",
);
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const HIGHEST = 3; // the card's title is one step below the page's h2

/** The elements of a card, without its YAML head. */
export function drawCard(markdown) {
  const lines = markdown.replace(/^---\n.*?\n---\n/s, "").split("\n");
  const found = [];
  let index = 0;
  while (index < lines.length) {
    const [element, next] = block(lines, index);
    if (element) found.push(element);
    index = next;
  }
  return found;
}

function block(lines, index) {
  const line = lines[index];
  if (!line.trim()) return [null, index + 1];
  if (line.startsWith("```")) return fence(lines, index);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) return [make(`h${Math.min(heading[1].length + HIGHEST - 1, 6)}`, {}, ...inline(heading[2])), index + 1];
  if (line.startsWith("|")) return table(lines, index);
  if (/^[-*] /.test(line)) return list(lines, index);
  const stop = until(lines, index, (each) => each.trim() && !/^(#|\||[-*] |```)/.test(each));
  return [make("p", {}, ...inline(lines.slice(index, stop).join(" "))), stop];
}

function until(lines, index, goesOn) {
  let stop = index + 1;
  while (stop < lines.length && goesOn(lines[stop])) stop += 1;
  return stop;
}

function fence(lines, index) {
  const stop = until(lines, index, (each) => !each.startsWith("```"));
  return [make("pre", { tabindex: "0" }, make("code", {}, lines.slice(index + 1, stop).join("\n"))), stop + 1];
}

function list(lines, index) {
  const stop = until(lines, index, (each) => /^([-*] |\s+\S)/.test(each));
  const items = [];
  for (const each of lines.slice(index, stop)) {
    if (/^[-*] /.test(each)) items.push(each.slice(2));
    else items.push(`${items.pop()} ${each.trim()}`);
  }
  return [make("ul", {}, ...items.map((item) => make("li", {}, ...inline(item)))), stop];
}

function table(lines, index) {
  const stop = until(lines, index, (each) => each.startsWith("|"));
  const rows = lines.slice(index, stop).map(cells);
  const numbers = (rows[1] ?? []).map((cell) => cell.endsWith(":"));
  const drawn = (row, tag) => {
    const draw = (cell, column) => make(cell ? tag : "td", { class: numbers[column] ? "n" : null }, ...inline(cell));
    return make("tr", {}, ...row.map(draw));
  };
  const head = make("thead", {}, drawn(rows[0], "th"));
  const body = make("tbody", {}, ...rows.slice(2).map((row) => drawn(row, "td")));
  const wide = { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" };
  return [make("div", wide, make("table", {}, head, body)), stop];
}

/** The cells of a row; a bar after a backslash separates none. */
function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
}

function inline(text) {
  const found = [];
  let index = 0;
  for (const match of text.matchAll(INLINE)) {
    found.push(text.slice(index, match.index), ...piece(match));
    index = match.index + match[0].length;
  }
  found.push(text.slice(index));
  return found.filter((each) => each !== "");
}

/** A link of a card is a name alone: it may point anywhere, and its files are in the model's folder. */
function piece([, code, strong, link, escaped, entity]) {
  if (code !== undefined) return [make("code", {}, code)];
  if (strong !== undefined) return [make("strong", {}, ...inline(strong))];
  if (link !== undefined) return inline(link);
  return [escaped ?? ENTITIES[entity]];
}
