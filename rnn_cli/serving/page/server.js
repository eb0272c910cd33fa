/**
 * Requests to the server that sent this page, and its refusals in plain words.
 */

import { integer } from "./elements.js";

const SECONDS_UNTIL_RETRY = 3;
const LONGEST_WAIT = 60; // seconds
let key = ""; // in memory alone
let root = "v1/";

export function useKey(given) {
  key = given;
}

export const hasKey = () => key !== "";

/** Asks the model of this name from now on. */
export function useModel(name) {
  root = `v1/models/${encodeURIComponent(name)}/`;
}

/** The path of what the model is asked for: "predict", "report". */
export const path = (what) => root + what;

/** The path of what is told of the model. */
export const pathOfModel = () => (root === "v1/" ? "v1/model" : root.slice(0, -1));

/** Why there is no answer. `wait`: seconds until it is worth another try, if it ever is. */
export class Problem extends Error {
  constructor(message, { status = 0, wait = null } = {}) {
    super(message);
    this.status = status;
    this.wait = wait;
  }

  get needsKey() {
    return this.status === 401;
  }
}

/** The JSON answer of a path; throws `Problem`, or an `AbortError`. */
export async function ask(where, body, signal) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await send(where, options, "application/json", signal);
  try {
    return await answer.json();
  } catch (error) {
    throw signal?.aborted ? error : gone();
  }
}

/** The answer of a path as it arrives; throws `Problem`, or an `AbortError`. */
export async function send(where, options, type, signal) {
  const headers = { ...(options.body === undefined ? {} : { "Content-Type": type }) };
  if (key) headers.Authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(where, { ...options, headers, signal, credentials: "same-origin", redirect: "error" });
  } catch (error) {
    throw signal?.aborted ? error : gone();
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

/** What is said when the server cannot be reached, or stops in the middle. */
export function gone() {
  return new Problem("The server does not answer. Is rnn serve still running?", { wait: SECONDS_UNTIL_RETRY });
}

async function refusal(answer) {
  let content = {};
  try {
    content = (await answer.json()) ?? {};
  } catch {
    // A proxy's page, or nothing: the status must do.
  }
  const detail = typeof content.detail === "string" ? content.detail : "";
  const { status } = answer;
  const told = Number(answer.headers.get("Retry-After")); // a model that fails at a text names no time
  const wait = told || status === 429 ? Math.min(Math.max(told || 1, 1), LONGEST_WAIT) : null;
  return new Problem(words(status, wait, detail, content.pointer), { status, wait });
}

function words(status, wait, detail, pointer) {
  if (wait) return "The server is busy. The page tries again by itself.";
  const said = detail ? ` It says: ${detail.replace(/\.$/, "")}.` : "";
  switch (status) {
    case 401:
      return key ? "The server does not accept this key" : "This server asks for a key";
    case 403:
      return `The server does not let this page ask.${said}`;
    case 408:
      return "The request took too long to arrive. Is the connection slow?";
    case 413:
      return `That is more than this server takes at once.${said}`;
    case 404:
    case 405:
      return "This server does not offer that.";
    case 415:
    case 400:
    case 422:
      return `The server cannot read ${place(pointer)}.${said}`;
    case 421:
      return "The server does not answer under this address. Open the address that rnn serve printed.";
    default:
      return status >= 500 ? `The server failed (${status}).${said}` : `The server refuses this (${status}).${said}`;
  }
}

function place(pointer) {
  const number = /^\/texts\/(\d+)/.exec(pointer ?? "");
  return number ? `line ${integer(Number(number[1]) + 1)}` : pointer === "/text" ? "this text" : "this";
}
