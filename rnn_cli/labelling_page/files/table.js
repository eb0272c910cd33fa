/**
 * The table of what was labelled: filtered by label and words, each label to be changed where it stands.
 */

import { button, byId, counted, integer, make, name, say } from "../page/elements.js";
import { ask } from "./sitting.js";

const SKIPPED = "\u0000skipped"; // no label has such a sign
const ALL = "\u0000all";
const TYPING_MS = 200;

let start = 0;
let turn = 0;
let timer = 0;

/** Draws the table anew; `onChange` is called with a row and its new label, null for none. */
export async function drawTable(state, onChange) {
  turn += 1;
  const mine = turn;
  offer(state.labels);
  const chosen = byId("filter-label").value;
  const asked = new URLSearchParams({ words: byId("filter-words").value, from: String(start) });
  if (chosen === SKIPPED) asked.set("skipped", "1");
  else if (chosen !== ALL) asked.set("label", chosen);
  const found = await ask(`sitting/labelled?${asked}`);
  if (mine !== turn) return; // another filter since
  if (found.from && !found.rows.length) {
    start = 0;
    await drawTable(state, onChange);
    return;
  }
  const isFiltered = chosen !== ALL || byId("filter-words").value.trim() !== "";
  say(byId("filter-count"), isFiltered ? counted(found.total, "text") : "");
  byId("filter").hidden = !isFiltered && !found.total;
  if (!found.total) {
    byId("done").replaceChildren(make("p", { class: "muted" }, isFiltered ? "None is like this." : "Nothing yet."));
    return;
  }
  keepFocus(() => byId("done").replaceChildren(table(found.rows, state, onChange), pages(found, state, onChange)));
}

/** Has the table drawn by `draw` whenever the filter changes. */
export function watchFilter(draw) {
  const again = () => {
    start = 0;
    draw();
  };
  byId("filter-label").addEventListener("change", again);
  byId("filter-words").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, TYPING_MS);
  });
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
}

function offer(labels) {
  const select = byId("filter-label");
  const wanted = [[ALL, "all"], ...labels.map((label) => [label.name, label.name]), [SKIPPED, "skipped"]];
  if (select.length === wanted.length) return;
  const before = select.value || ALL;
  select.replaceChildren(...wanted.map(([value, words]) => make("option", { value }, words)));
  select.value = before;
}

function table(rows, state, onChange) {
  const head = make("tr", {}, make("th", { class: "n" }, "Row"), make("th", {}, "Text"), make("th", { class: "chosen" }, "Label"));
  const body = rows.map((each) => {
    const change = (label) => onChange(each.row, label);
    const choice = state.kind === "several" ? severalOf(each, state.labels, change) : oneOf(each, state.labels, change);
    return make("tr", {}, make("td", { class: "n muted" }, integer(each.row + 1)), words(each), make("td", { class: "chosen" }, choice));
  });
  return make("table", { class: "done" }, make("thead", {}, head), make("tbody", {}, ...body));
}

function oneOf(each, labels, change) {
  const choice = make("select", { "aria-label": `Label of row ${each.row + 1}`, "data-focus": `label ${each.row}` },
    ...labels.map((label) => make("option", { value: label.name }, label.name)),
    make("option", { value: SKIPPED }, "– skipped"));
  choice.value = each.label ?? SKIPPED;
  choice.addEventListener("change", () => change(choice.value === SKIPPED ? null : choice.value));
  return choice;
}

/** The labels of a row, which open as boxes to tick. */
function severalOf(each, labels, change) {
  const place = make("div", {});
  const opener = button(each.label ? labelsInWords(each.label) : "– skipped", () => {
    const boxes = labels.map((label) => make("input", { type: "checkbox", value: label.name, checked: each.label?.includes(label.name) }));
    const fields = boxes.map((box) => make("label", {}, box, name(box.value)));
    const save = button("Change", () => change(boxes.filter((box) => box.checked).map((box) => box.value)), { class: "main" });
    const skip = button("Skip", () => change(null));
    const back = button("Cancel", () => {
      place.replaceChildren(opener);
      opener.focus();
    });
    const group = { class: "several", role: "group", "aria-label": `Labels of row ${each.row + 1}` };
    place.replaceChildren(make("div", group, ...fields, make("span", { class: "row" }, save, skip, back)));
    boxes[0].focus();
  }, { class: "opens", "aria-expanded": "false", "aria-label": `Labels of row ${each.row + 1}: ${labelsInWords(each.label)}`, "data-focus": `label ${each.row}` });
  place.append(opener);
  return place;
}

/** A label, or several, as words say them. */
export function labelsInWords(label) {
  if (label === null) return "skipped";
  return Array.isArray(label) ? label.join(", ") || "none of them" : label;
}

function words(each) {
  const shown = make("span", { class: "excerpt" }, name(each.text), each.is_cut ? " …" : "");
  const full = button("", () => {
    full.setAttribute("aria-expanded", String(full.getAttribute("aria-expanded") !== "true"));
  }, { class: "full", "aria-expanded": "false", "data-focus": `text ${each.row}` });
  full.append(shown);
  return make("td", {}, full, each.note ? make("span", { class: "of-row" }, "note: ", name(each.note)) : null);
}

function pages({ total, from, rows }, state, onChange) {
  if (total <= rows.length) return "";
  const go = (to) => () => {
    start = Math.max(to, 0);
    drawTable(state, onChange);
  };
  const size = Math.max(rows.length, 50);
  return make("p", { class: "row pages" },
    button("Newer", go(from - size), { disabled: from === 0 }),
    make("span", { class: "muted" }, `${integer(from + 1)} to ${integer(from + rows.length)} of ${integer(total)}`),
    button("Older", go(from + size), { disabled: from + rows.length >= total }));
}

function keepFocus(draw) {
  const focused = document.activeElement?.dataset?.focus;
  draw();
  if (focused) byId("done").querySelector(`[data-focus="${focused}"]`)?.focus();
}
