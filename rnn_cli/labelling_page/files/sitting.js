/**
 * The sitting behind the page: what stands, and changes to it, each sent until it is answered.
 *
 * A change has an id, so one that is sent twice is done once; it says which text and how many changes the page has
 * seen, so what another tab has done is never overwritten.
 */

import { pause } from "../page/elements.js";

const AGAIN_MS = 1000;
const REQUEST_MS = 20_000; // a search in a million texts takes some seconds

/** Why something was not done; the sitting is as before. */
export class Refusal extends Error {}

/** No answer yet. `isClosed`: the server is another one now, with a key of its own. */
export class Away extends Error {
  constructor(isClosed) {
    super("away");
    this.isClosed = isClosed;
  }
}

/** The JSON of a path. Throws `Away`, or `Refusal`. */
export async function ask(path, body) {
  const { status, content } = await send(path, body);
  if (status >= 400) throw new Refusal(inWords(status, content));
  return content;
}

/**
 * Does a step, and sends it again while nobody answers. `onAway` is called with each `Away`.
 * Gives the new state, and whether another tab came first. Throws `Refusal`.
 */
export async function step(change, state, onAway) {
  const { row, chosen } = state.text ?? {};
  const body = { id: crypto.randomUUID(), row, chosen, changes: state.changes, ...change };
  for (;;) {
    try {
      const { status, content } = await send("sitting/step", body);
      if (status === 409 && content.state) return { state: content.state, isPassed: true };
      if (status >= 400) throw new Refusal(inWords(status, content));
      return { state: content, isPassed: false };
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      onAway(error);
      await pause(AGAIN_MS, new AbortController().signal);
    }
  }
}

async function send(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  };
  let answer;
  let content;
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    answer = await fetch(path, { ...options, signal, credentials: "same-origin", redirect: "error" });
    content = await answer.json();
  } catch {
    throw new Away(false); // or half an answer
  }
  if (answer.status === 401) throw new Away(true);
  return { status: answer.status, content: content ?? {} };
}

function inWords(status, content) {
  const said = typeof content.detail === "string" ? content.detail : `the server refuses this (${status})`;
  return `${said.charAt(0).toUpperCase()}${said.slice(1).replace(/\.$/, "")}.`;
}
