/**
 * A whole file, scored by the server row by row and offered as a download.
 */

import { button, byId, counted, integer, make, name, pause, say } from "./elements.js";
import { Problem, gone, path, send } from "./server.js";

const LINE_END = 10;
const BYTES_HELD = 8 << 20; // so much of an answer is in memory; the browser may put the rest on its disk
const TYPES = {
  csv: "text/csv",
  txt: "text/csv",
  tsv: "text/tab-separated-values",
  jsonl: "application/x-ndjson",
  ndjson: "application/x-ndjson",
};
const TAKEN = "This page takes CSV, TSV and JSON Lines.";
const PACKED = /\.(gz|zst)$/i; // the server unpacks what it is sent, and sends rows as they are
const PARAMETERS = { // of the form's fields
  column: "text_column",
  header: "header",
  encoding: "encoding",
  quoting: "quoting",
  prefix: "prefix",
};
const NAMED = /\?([\w&=%.~-]*[\w~-])/g; // parameters, as the server's hints name them

let running = null;
let offered = null;

/** Scores a file and draws how far it is in `area`; a file before it is stopped. `inWords` tells what went wrong. */
export async function scoreFile(file, area, inWords) {
  running?.abort();
  const stop = (running = new AbortController());
  const job = draw(file, area, () => stop.abort());
  say(byId("status"), `Scoring ${file.name}`);
  try {
    const answer = await begin(file, job, stop.signal);
    const { rows, content } = await collect(file, answer, job, stop.signal);
    finish(job, file, rows, content);
  } catch (error) {
    if (running !== stop) return; // another file has taken its place
    const again = button("Try again", () => scoreFile(file, area, inWords));
    fail(job, stop.signal.aborted ? "Stopped." : inWords(error), stop.signal.aborted, again);
  } finally {
    if (running === stop) running = null;
  }
}

/** Says why there is no download. What the server's hints call parameters are fields here. */
function fail({ bar, note, stop }, words, isStopped, again) {
  bar.remove();
  const plain = words.replace(/\bbody:(\d+)/g, "line $1").replace("body: ", "");
  const told = plain.replace(NAMED, (_, query) => inFields(new URLSearchParams(query)));
  const helps = told !== plain;
  say(note, told);
  note.classList.toggle("problem", !isStopped);
  stop.replaceWith(again);
  if (helps) byId("options").open = true;
  say(byId("status"), told);
}

/** Parameters as the options of the page call them. */
function inFields(query) {
  const fields = Object.entries(PARAMETERS).filter(([, parameter]) => query.has(parameter));
  return fields.map(([field, parameter]) => {
    const value = query.get(parameter);
    const shown = [...(byId(field).options ?? [])].find((each) => each.value === value)?.text ?? value;
    return `“${document.querySelector(`label[for=${field}]`).textContent}: ${shown}”`;
  }).join(" and ") || `?${query}`;
}

/** Whether a file is being scored. */
export const isScoring = () => running !== null;

function draw(file, area, onStop) {
  if (offered) URL.revokeObjectURL(offered);
  offered = null;
  const bar = make("progress", { "aria-label": "Rows scored" });
  const note = make("p", { class: "job-note" }, "The file is on its way …");
  const stop = button("Stop", onStop, { class: "plain" });
  const head = make("p", { class: "job-name" }, name(file.name), " ", make("small", {}, size(file.size)));
  area.replaceChildren(head, bar, make("div", { class: "row" }, note, stop));
  area.hidden = false;
  return { area, bar, note, stop };
}

/** Sends the file, again while the server is busy; the rows come back as they are scored. */
async function begin(file, job, signal) {
  const type = TYPES[endingOf(file)];
  if (!type) throw new Problem(`${TAKEN} The command rnn score reads workbooks and Parquet, too.`);
  const query = new URLSearchParams(byId("proba").checked ? { proba: "true" } : {});
  for (const [field, parameter] of Object.entries(PARAMETERS)) {
    if (byId(field).value) query.set(parameter, byId(field).value);
  }
  const where = `${path("score")}?${query}`;
  for (;;) {
    try {
      return await send(where, { method: "POST", body: file }, type, signal);
    } catch (error) {
      if (signal.aborted || !error.status || !error.wait) throw error;
      say(job.note, error.message);
      await pause(1000 * error.wait, signal);
    }
  }
}

const endingOf = (file) => /\.(\w+)$/.exec(file.name.replace(PACKED, ""))?.[1].toLowerCase() ?? "csv";

/** The answer's bytes. Line ends in are line ends out, so those of both say how far it is. */
async function collect(file, answer, job, signal) {
  const rows = Number(answer.headers.get("X-Row-Count"));
  let all = null;
  countLines(file.stream(), signal).then((found) => (all = found), () => {});
  let lines = 0;
  let parts = [];
  let held = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal.aborted ? error : gone();
    });
    if (done) break;
    lines += lineEnds(value);
    parts.push(value);
    held += value.length;
    if (held > BYTES_HELD) {
      parts = [new Blob(parts)];
      held = 0;
    }
    if (all) show(job, Math.min(lines / all, 1), rows);
  }
  return { rows, content: new Blob(parts, { type: answer.headers.get("Content-Type") }) };
}

function show({ bar, note }, share, rows) {
  bar.value = share;
  say(note, `${integer(Math.floor(share * rows))} of ${counted(rows, "row")}`);
}

async function countLines(stream, signal) {
  const reader = stream.getReader();
  let found = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return found;
    found += lineEnds(value);
  }
}

function lineEnds(bytes) {
  let found = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) found += 1;
  return found;
}

function finish({ area, bar, note, stop }, file, rows, content) {
  offered = URL.createObjectURL(content);
  const saved = file.name.replace(PACKED, "").replace(/(\.\w+)?$/, (ending) => `.scored${ending || ".csv"}`);
  const link = make("a", { class: "button main", href: offered, download: saved }, "Download ", name(saved));
  bar.value = 1;
  stop.remove();
  say(note, `Done: ${counted(rows, "row")}, ${size(content.size)}.`);
  area.append(make("p", {}, link));
  say(byId("status"), `${file.name} is scored. The download is ready.`);
}

function size(bytes) {
  const [unit, step] = bytes < 1000 ? ["bytes", 1] : bytes < 1e6 ? ["kB", 1000] : ["MB", 1e6];
  return `${integer(Math.max(Math.round(bytes / step), bytes ? 1 : 0))} ${unit}`;
}
