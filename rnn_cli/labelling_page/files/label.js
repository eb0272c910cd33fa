/**
 * The page of a sitting: one text, one key a label, the same keys as in the terminal.
 */

import { button, byId, counted, integer, make, name, percent, say } from "../page/elements.js";
import { MANY, drawFigures } from "./figures.js";
import { Away, Refusal, ask, step } from "./sitting.js";
import { drawTable, labelsInWords, watchFilter } from "./table.js";

const LOOK_MS = 4000; // another tab, and fits that ended meanwhile
const SOON_MS = 700; // a fit takes less
const LONG = 600; // characters

let state = null;
let isBusy = false;
let isEnded = false;
let soon = 0;
let curve = [];

const COMMANDS = [
  ["u", "undo", undo],
  ["s", "skip", () => change({ do: "skip" }, () => "Skipped.")],
  ["n", "note", askNote],
  ["?", "why this text", toggleWhy],
  ["g", "guess", () => change({ do: "guess", shown: !state.is_guess_shown }, (now) => `Guesses are ${now.is_guess_shown ? "shown" : "hidden"}.`)],
  ["/", "search", askSearch],
  ["+", "new label", askLabel],
];

// ------------------------------------------------------------------ steps

/** Has a step done, shows what stands then, and says what `words` makes of it. */
async function change(body, words) {
  if (isBusy || isEnded || state === null) return;
  isBusy = true;
  byId("text").classList.add("waiting");
  try {
    const found = await step(body, state, away);
    back();
    take(found.state);
    tell(found.isPassed ? `Not done: something changed in another tab. This is how it stands now.` : words(found.state));
  } catch (error) {
    trouble(error);
    drawDone(); // a choice that was refused shows what holds
  } finally {
    isBusy = false;
    byId("text").classList.remove("waiting");
  }
}

let chosen = new Set(); // where a text may have several labels, those that are given so far

/** Gives the text its label; of several, gives it or takes it away. */
function label(given) {
  if (!state.text) return;
  if (state.kind !== "several") {
    give(given);
    return;
  }
  if (!chosen.delete(given)) chosen.add(given);
  drawLabels();
}

function give(given) {
  if (!state.text) return;
  const { row } = state.text;
  change({ do: "label", label: given }, () => `Row ${integer(row + 1)}: ${labelsInWords(given)}.`);
}

const giveChosen = () => give(state.labels.map((each) => each.name).filter((each) => chosen.has(each)));

function undo() {
  if (!state.last) return tell("There is nothing to take back.");
  const { row } = state.last;
  return change({ do: "undo" }, () => `The answer to row ${integer(row + 1)} is taken back.`);
}

const relabel = (row, given) =>
  change({ do: "change", row, label: given }, () => `Row ${integer(row + 1)}: ${given === null ? "no label" : labelsInWords(given)}.`);

// --------------------------------------------------------------- questions

let asking = null; // what becomes of the line that is typed
let before = null; // where the focus was

/** Asks for a line below the text, as the terminal does. */
function askLine(words, note, value, then) {
  asking = then;
  before = document.activeElement;
  say(byId("asking-words"), words);
  say(byId("asking-note"), note);
  byId("asking").hidden = false;
  byId("asking-text").value = value;
  byId("asking-text").focus();
}

function closeLine() {
  asking = null;
  byId("asking").hidden = true;
  if (before?.matches("button")) before.focus();
  else document.activeElement.blur(); // keys go on
}

function askNote() {
  if (!state.text) return;
  const { row } = state.text;
  askLine(`Note to row ${integer(row + 1)}`, "Nothing removes it.", state.text.note,
    (note) => change({ do: "note", note, row }, () => (note.trim() ? "The note is kept." : "There is no note.")));
}

function askSearch() {
  askLine("Texts with all these words", "They are asked next, then texts near to them. Nothing ends a search.", "",
    (words) => change({ do: "search", words }, (now) => {
      if (!words.trim()) return "The search is over.";
      return now.is_searching ? "Texts with these words come first, then texts near to them." : "No open text holds these words.";
    }));
}

function askLabel() {
  askLine("New label", "It gets the next key.", "", (given) => {
    if (given.trim()) change({ do: "add", label: given }, (now) => `New label: ${now.labels.at(-1).name}.`);
  });
}

byId("asking").addEventListener("submit", (event) => {
  event.preventDefault();
  const [then, typed] = [asking, byId("asking-text").value];
  closeLine();
  then?.(typed);
});
byId("asking-cancel").addEventListener("click", closeLine);
byId("asking").addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeLine();
});

// --------------------------------------------------------------------- why

let why = null; // of the text that stands, while it is shown

async function toggleWhy() {
  if (why) {
    hideWhy();
  } else {
    try {
      const found = await ask("sitting/why");
      if (!found || found.row !== state.text?.row) return;
      why = found;
      drawWhy();
    } catch (error) {
      trouble(error);
    }
  }
  drawText();
  drawCommands();
}

function hideWhy() {
  why = null;
  byId("why").hidden = true;
}

function drawWhy() {
  const shown = [make("p", {}, `Why: ${why.because}.`)];
  if (why.probabilities.length) {
    const bars = why.probabilities.slice(0, 5).map((each, index) => {
      const fill = make("span", { class: "fill" });
      fill.style.inlineSize = `${100 * each.probability}%`;
      return make("li", { class: index ? null : "predicted" }, make("span", { class: "label" }, name(each.label)),
        make("span", { class: "track", "aria-hidden": "true" }, fill), make("span", { class: "n" }, percent(each.probability)));
    });
    shown.push(make("ul", { class: "bars", "aria-label": "What the model thinks" }, ...bars));
    const first = why.probabilities[0].label;
    shown.push(named("for", `for ${first}`, why.for), named("against", `against ${first}`, why.against));
  } else {
    shown.push(make("p", { class: "muted" }, "The model has no opinion before two labels have an answer."));
  }
  byId("why").replaceChildren(...shown.filter(Boolean));
  byId("why").hidden = false;
}

function named(way, title, words) {
  if (!words.length) return null;
  return make("div", { class: `named ${way}` }, make("h3", {}, title), make("ul", {}, ...words.map((word) => make("li", {}, name(word)))));
}

// ----------------------------------------------------------------- drawing

/** Shows a state, if it is another one. */
function take(found) {
  const isSame = state?.text?.row === found.text?.row;
  state = found;
  document.title = `${state.source}: labelling`;
  byId("title").replaceChildren(name(state.source));
  const left = `${integer(state.labelled)} of ${integer(state.texts)} labelled`;
  const speed = state.per_minute ? `, ${Math.round(state.per_minute)} a minute` : "";
  say(byId("pace"), left + speed);
  byId("progress").value = state.texts ? (state.labelled + state.skipped) / state.texts : 0;
  if (!isSame) {
    hideWhy();
    chosen = new Set();
  }
  drawText();
  if (!isSame) byId("text").scrollTop = 0;
  drawLabels();
  drawCommands();
  byId("figures").replaceChildren(...drawFigures(state, curve));
  drawDone();
  clearTimeout(soon);
  soon = setTimeout(look, SOON_MS);
}

function drawText() {
  const { text } = state;
  const place = byId("text");
  place.classList.toggle("empty", !text);
  place.classList.toggle("long", (text?.text.length ?? 0) > LONG);
  byId("about").replaceChildren(...(text ? about(text) : [""]));
  place.replaceChildren(...(text ? marked(text.text) : ["All texts are answered. End keeps all; undo goes back."]));
  show("note", text?.note ? ["Note: ", name(text.note)] : null);
  show("guess", text?.guess ? ["The model's guess: ", name(labelsInWords(text.guess.label)), ` ${percent(text.guess.probability)}`] : null);
}

function about(text) {
  const copies = text.copies > 1 ? `, ${integer(text.copies)} times in the file` : "";
  return [`Row ${integer(text.row + 1)}${copies}${state.is_searching ? ", found by your search" : ""}`];
}

/** The text, with the words marked that speak for and against what the model thinks. */
function marked(text) {
  if (!why) return [text];
  return why.pieces.map(([piece, way]) => (way ? make("mark", { class: `${way} s2` }, piece) : piece));
}

function show(id, children) {
  byId(id).hidden = !children;
  byId(id).replaceChildren(...(children ?? []));
}

function drawLabels() {
  const place = byId("labels");
  const isSeveral = state.kind === "several";
  const wanted = state.labels.map((each) => `${each.key} ${each.name}`).join("\n");
  if (place.dataset.shown !== wanted) {
    place.dataset.shown = wanted;
    place.classList.toggle("many", state.labels.length > MANY);
    place.replaceChildren(...state.labels.map((each) => {
      const made = button("", () => label(each.name), { "aria-keyshortcuts": each.key });
      made.append(make("kbd", { "aria-hidden": "true" }, each.key), name(each.name));
      return made;
    }));
  }
  byId("give").hidden = !isSeveral || !state.text;
  if (!isSeveral) return;
  [...place.children].forEach((made, index) => made.setAttribute("aria-pressed", String(chosen.has(state.labels[index].name))));
  byId("given").replaceChildren(name(labelsInWords(state.labels.map((each) => each.name).filter((each) => chosen.has(each)))));
}

function drawCommands() {
  const pressed = { g: state.is_guess_shown, "?": why !== null };
  const place = byId("commands");
  if (!place.childElementCount) {
    place.replaceChildren(...COMMANDS.map(([key, words, action]) => {
      const made = button("", action, { class: "plain", "aria-keyshortcuts": key, "data-key": key });
      made.append(make("kbd", { "aria-hidden": "true" }, key), ` ${words}`);
      return made;
    }));
  }
  for (const [key, is] of Object.entries(pressed)) {
    place.querySelector(`[data-key="${key}"]`).setAttribute("aria-pressed", String(is));
  }
}

const drawDone = () => drawTable(state, relabel).catch(trouble);

// ---------------------------------------------------------------- messages

function tell(words) {
  say(byId("said"), words);
}

/** The server does not answer; what was pressed is sent again. */
function away(error) {
  warn(error.isClosed
    ? "The sitting was started again: open the new address that its terminal shows in this browser. What you pressed last is sent then."
    : "The connection is lost: is the command still running? What you pressed last is not kept yet; it is sent again by itself. Start the same command again if it has ended.");
}

function warn(words) {
  byId("problem").hidden = false;
  say(byId("problem"), words);
}

function back() {
  byId("problem").hidden = true;
  say(byId("problem"), "");
}

function trouble(error) {
  if (error instanceof Away) away(error);
  else if (error instanceof Refusal) tell(error.message);
  else {
    console.error(error);
    warn("The page made a mistake. Please load it again; nothing is lost.");
  }
}

// --------------------------------------------------------------------- end

async function end() {
  if (isBusy || isEnded) return;
  try {
    const found = await ask("sitting/end", {});
    isEnded = true;
    back();
    document.body.classList.add("ended");
    const kept = `${counted(state.labelled, "text")} labelled, all kept in ${found.log}. `;
    const out = found.out ? `The labelled rows are written to ${found.out}. ` : "";
    const place = make("p", { class: "hint", tabindex: "-1" }, `${kept}${out}The terminal shows how to train on them. You can close this page.`);
    byId("problem").after(make("h2", {}, "This sitting has ended"), place);
    place.focus({ focusVisible: false });
  } catch (error) {
    trouble(error);
  }
}

// -------------------------------------------------------------------- keys

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat || state === null) return;
  if (!byId("keys").checked) return;
  const command = COMMANDS.find(([key]) => key === event.key);
  const given = state.labels.find((each) => each.key === event.key);
  if (command) command[2]();
  else if (given) label(given.name);
  else if (event.key === "q") end();
  else if (event.key === "Enter" && state.kind === "several" && !event.target.closest?.("button:not(#labels button), a, label")) giveChosen();
  else return;
  event.preventDefault();
});
byId("end").addEventListener("click", end);
byId("give").addEventListener("click", giveChosen);
watchFilter(() => state && drawDone());

/** Looks what stands: a fit may have ended, or another tab gone on. */
async function look() {
  if (isBusy || isEnded || asking || document.visibilityState === "hidden") return;
  try {
    const found = await ask("sitting/state");
    curve = await ask("sitting/curve");
    if (isBusy || isEnded || asking) return;
    back();
    const isNew = found.changes !== state?.changes || found.text?.row !== state?.text?.row;
    if (isNew) {
      if (state) tell("This sitting went on in another tab.");
      take(found);
    } else {
      state = found;
      byId("figures").replaceChildren(...drawFigures(state, curve));
    }
  } catch (error) {
    if (!isEnded) trouble(error);
  }
}

addEventListener("beforeunload", (event) => {
  if (isBusy) event.preventDefault();
});
history.replaceState(null, "", location.pathname); // the key has opened, and opens no more
addEventListener("visibilitychange", look);
look();
setInterval(look, LOOK_MS);
