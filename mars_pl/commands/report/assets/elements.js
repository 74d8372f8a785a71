"use strict";
// What every part of the page uses: the numbers it was written with, elements, and how figures are said.

const told = JSON.parse(document.getElementById("told").textContent);
const DASH = "–";

/** Make an element; what is undefined or null is left out, text never becomes markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, what] of Object.entries(value)) made.style.setProperty(key, what);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function option(value, words, chosen) {
  return element("option", { value, selected: value === chosen }, words);
}

/** A labelled <select>; `choices` are pairs of value and words. */
function select(words, choices, chosen, onchange) {
  const made = element("select", { onchange: (event) => onchange(event.target.value) });
  made.append(...choices.map(([value, text]) => option(String(value), text, String(chosen))));
  return element("label", {}, element("span", {}, words), made);
}

const percent = (value, digits = 1) => (value === null || value === undefined ? DASH : (100 * value).toFixed(digits));
const fraction = (value) => (value === null || value === undefined ? DASH : value.toFixed(3));
const withSign = (value, words) => (value === null || value === undefined ? DASH : (value > 0 ? "+" : value < 0 ? "−" : "±") + words(Math.abs(value)));
const signed = (value) => withSign(value, percent);
const signedFraction = (value) => withSign(value, fraction);

const className = (index) => told.classes[index] ?? `class ${index}`;
const classNames = (indices) => (indices.length ? indices.map(className).join(", ") : DASH);

/** A coloured chip with a class' name. */
function chip(index) {
  return element("li", {}, element("i", { style: { "--c": told.colours[index] ?? "gray" } }), className(index));
}

function hatched(words, colour) {
  return element("li", {}, element("i", { class: "hatch", style: { "--c": colour } }), words);
}

/** The bar of a similarity map's colours, from 0 to 1. */
function colourBar() {
  const bar = element("span", { class: "colour-bar", style: { background: `linear-gradient(to right, ${told.heat})` } });
  return element("span", { class: "scale", role: "img", "aria-label": "similarity from 0, dark, to 1, pale" }, "0", bar, "1 similarity");
}

/** Compare two values of one column: what was not measured stands last, whichever way it is sorted. */
function compare(first, second, direction) {
  const missing = (value) => value === null || value === undefined || value === "";
  if (missing(first) || missing(second)) return missing(first) - missing(second);
  const order = typeof first === "number" && typeof second === "number" ? first - second : String(first).localeCompare(String(second), "en", { numeric: true });
  return direction * order;
}
