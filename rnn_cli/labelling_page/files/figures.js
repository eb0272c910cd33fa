/**
 * How far it is and how good: counts, accuracy, agreement, and the accuracy over the answers as a curve.
 */

import { counted, integer, make, name, roughPercent } from "../page/elements.js";

export const MANY = 8; // labels from which on they are drawn smaller

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 280;
const HEIGHT = 150;
const LEFT = 34;
const BOTTOM = 20;
const TOP = 8;
const RIGHT = 8;

const between = ({ low, high }) => `95% interval ${roughPercent(low)} to ${roughPercent(high)}`;

/** Everything that is known of a state; `curve` is the accuracy over the answers. */
export function drawFigures({ kind, labels, accuracy, expected, more, agreement, skipped }, curve) {
  const ahead = expected === null ? "" : `; with ${more} more answers about ${roughPercent(expected)}`;
  const found = [
    tile(kind === "several" ? "All labels right now" : "Accuracy now", accuracy, accuracy
      ? `${between(accuracy)}, by ${counted(accuracy.rows, "text")} drawn by chance${ahead}`
      : "not known yet: every tenth text is drawn by chance to measure it"),
  ];
  if (agreement) found.push(tile("Guesses right", agreement, `${between(agreement)}, of the last ${integer(agreement.rows)}, unseen`));
  if (curve.length > 1) found.push(drawCurve(curve));
  found.push(counts(labels, skipped));
  return found;
}

function tile(title, share, note) {
  const value = make("dd", {}, share ? roughPercent(share.share) : "–");
  return make("div", { class: "tile" }, make("dl", {}, make("dt", {}, title), value), make("small", {}, note));
}

function counts(labels, skipped) {
  const most = Math.max(1, ...labels.map((label) => label.count));
  const items = labels.map((label) => {
    const fill = make("span", { class: "fill" });
    fill.style.inlineSize = `${(100 * label.count) / most}%`;
    return make("li", {}, make("span", { class: "label", title: label.name }, name(label.name)),
      make("span", { class: "track", "aria-hidden": "true" }, fill), make("span", { class: "n" }, integer(label.count)));
  });
  if (skipped) {
    items.push(make("li", {}, make("span", { class: "label muted" }, "skipped"), make("span"),
      make("span", { class: "n muted" }, integer(skipped))));
  }
  return make("ul", { class: labels.length > MANY ? "bars many" : "bars", "aria-label": "Texts of each label" }, ...items);
}

/** Points are `{ answers, share, low, high }`, the fewest answers first. */
function drawCurve(points) {
  const last = points.at(-1);
  const least = Math.floor(10 * Math.min(...points.map((each) => each.low))) / 10;
  const x = (answers) => LEFT + ((WIDTH - LEFT - RIGHT) * answers) / last.answers;
  const y = (share) => TOP + ((HEIGHT - TOP - BOTTOM) * (1 - share)) / Math.max(1 - least, 0.1);
  const at = (answers, share) => `${x(answers).toFixed(1)},${y(share).toFixed(1)}`;
  const upper = points.map((each) => at(each.answers, each.high));
  const lower = points.map((each) => at(each.answers, each.low)).reverse();
  const ticks = [...new Set([least, (1 + least) / 2, 1])];
  const drawn = svg("svg", {
    class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": `Accuracy over the answers: ${roughPercent(points[0].share)} after ${points[0].answers}, ${roughPercent(last.share)} after ${last.answers}`,
  },
  ...ticks.map((share) => svg("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share) })),
  ...ticks.map((share) => svg("text", { x: LEFT - 5, y: y(share) + 4, "text-anchor": "end" }, roughPercent(share))),
  svg("text", { x: LEFT, y: HEIGHT - 3 }, "0"),
  svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 3, "text-anchor": "end" }, `${integer(last.answers)} answers`),
  svg("polygon", { class: "band", points: [...upper, ...lower].join(" ") }),
  svg("polyline", { class: "line", points: points.map((each) => at(each.answers, each.share)).join(" ") }),
  svg("circle", { class: "dot", cx: x(last.answers), cy: y(last.share), r: 3.5 }));
  const words = "Accuracy on the texts drawn by chance, and its 95% interval, as the answers grew";
  return make("figure", {}, drawn, make("figcaption", {}, words));
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
