/**
 * A whole file, scored by the server row by row and offered as a download.
 */

import { button, byId, counted, integer, make, name, say } from "./elements.js";
import { gone, send } from "./server.js";

const LINE_END = 10;
const BYTES_HELD = 8 << 20; // so much of an answer is in memory; the browser may put the rest on its disk
const TYPES = { jsonl: "application/x-ndjson", ndjson: "application/x-ndjson", tsv: "text/tab-separated-values" };

let running = null;
let offered = null;

/** Scores a file and draws how far it is in `area`; a file before it is stopped. */
export async function scoreFile(file, area, problem) {
  running?.abort();
  const stop = (running = new AbortController());
  const job = draw(file, area, () => stop.abort());
  say(byId("status"), `Scoring ${file.name}`);
  try {
    const answer = await begin(file, stop.signal);
    const { rows, content } = await collect(file, answer, job, stop.signal);
    finish(job, file, rows, content);
  } catch (error) {
    if (running !== stop) return; // another file has taken its place
    job.bar.remove();
    job.stop.remove();
    if (stop.signal.aborted) say(job.note, "Stopped. Nothing was kept.");
    else say(job.note, `${problem(error)} No row was kept.`);
    job.note.classList.toggle("problem", !stop.signal.aborted);
    say(byId("status"), job.note.textContent);
  } finally {
    if (running === stop) running = null;
  }
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

function begin(file, signal) {
  const ending = /\.(\w+)$/.exec(file.name.toLowerCase())?.[1];
  const path = byId("proba").checked ? "v1/score?proba=true" : "v1/score";
  return send(path, { method: "POST", body: file }, TYPES[ending] ?? "text/csv", signal);
}

/** The answer's bytes. Rows out are rows in, so the line ends in both say how far it is. */
async function collect(file, answer, job, signal) {
  const counting = countLines(file.stream(), signal).then((found) => (all = found), () => {});
  let all = null;
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
    show(job, lines, all);
  }
  await counting;
  const content = new Blob(parts, { type: answer.headers.get("Content-Type") ?? "text/csv" });
  return { rows: rowsSaid(answer) ?? lines, content };
}

const rowsSaid = (answer) => Number(answer.headers.get("X-Rows")) || null;

function show({ bar, note }, lines, all) {
  if (all) {
    bar.max = all;
    bar.value = Math.min(lines, all);
    say(note, `${integer(Math.min(lines, all))} of ${counted(all, "line")}`);
  } else {
    say(note, counted(lines, "line"));
  }
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

function finish({ area, bar, note, stop }, file, lines, content) {
  offered = URL.createObjectURL(content);
  const saved = file.name.replace(/(\.[A-Za-z0-9]+)?$/, (ending) => `.scored${ending || ".csv"}`).slice(-200);
  const link = make("a", { class: "button main", href: offered, download: saved }, "Download ", name(saved));
  bar.max = bar.value = 1;
  stop.remove();
  say(note, `Done: ${counted(lines, "line")}, ${size(content.size)}.`);
  area.append(make("p", {}, link));
  say(byId("status"), `${file.name} is scored. The download is ready.`);
}

function size(bytes) {
  const [unit, step] = bytes < 1000 ? ["bytes", 1] : bytes < 1e6 ? ["kB", 1000] : ["MB", 1e6];
  return `${integer(Math.max(Math.round(bytes / step), bytes ? 1 : 0))} ${unit}`;
}
