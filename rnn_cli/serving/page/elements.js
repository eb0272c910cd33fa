/**
 * Elements, numbers, pauses. Foreign texts enter the page here alone, as text nodes and attributes, never as markup.
 */

const languages = navigator.languages?.length ? navigator.languages : [navigator.language];

function format(options) {
  try {
    return new Intl.NumberFormat(languages, options);
  } catch {
    return new Intl.NumberFormat("en", options); // a browser may name a language that is none
  }
}

const percents = format({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const wholePercents = format({ style: "percent", maximumFractionDigits: 0 });
const integers = format({ maximumFractionDigits: 0 });
const decimals = format({ maximumFractionDigits: 1 });
const threes = format({ minimumFractionDigits: 3, maximumFractionDigits: 3 });
const weights = format({ signDisplay: "exceptZero", minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Numbers as the browser's language writes them. */
export const integer = (number) => integers.format(number);
export const decimal = (number) => decimals.format(number);
export const thousandths = (number) => threes.format(number);
export const weight = (number) => weights.format(number).replace("-", "\u2212");

/** A share as percent; what is not certain is never shown as 0 % or 100 %. */
export function percent(share) {
  if (share > 0 && share < 0.001) return `< ${percents.format(0.001)}`;
  if (share < 1 && share > 0.999) return `> ${percents.format(0.999)}`;
  return percents.format(share);
}

/** A share that is not known to a tenth of a percent. */
export const roughPercent = (share) => wholePercents.format(share);

/** "1 row", "1,234 rows". */
export const counted = (number, noun) => `${integer(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A new element. `attributes` are set as they are (true: without a value; false, null: not at all). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A name from outside; its direction of writing does not reach what stands around it. */
export const name = (text) => make("bdi", {}, text);

/** A button that does `action`. */
export function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

/** Replaces what an element holds, if that shows any other words. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Waits; throws as soon as `signal` is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
