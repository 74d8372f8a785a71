"use strict";
// Pictures of an image: its own and, transparent, what lies over it. They are loaded when they come into view.

/** Where the picture of one layer lies, null where it was not kept or not written. */
function address(set, index, place) {
  const kept = set.pictures[index]?.[place];
  if (!kept) return null;
  if (kept !== 1) return kept;
  const layer = set.layers[place];
  const parts = [told.place, set.title, layer.key, ...set.ids[index].split("/")];
  return `${parts.map(encodeURIComponent).join("/")}.${layer.suffix}`;
}

/**
 * Lay pictures of an image over one another.
 * `places` are those of the layers, from the lowest; `opacity` is that of what lies over the image.
 */
function picture(set, index, places, { opacity = 0.6, grey = true, lazy = true } = {}) {
  const box = element("span", { class: "picture" });
  let below = false;
  for (const place of places) {
    const source = address(set, index, place);
    if (source === null) continue;
    const layer = set.layers[place];
    const over = layer.kind !== "image";
    const image = element("img", {
      src: source, loading: lazy ? "lazy" : undefined, decoding: "async", draggable: "false",
      alt: `${set.ids[index]}: ${layer.title}`, class: `${layer.kind}${grey && !over && places.length > 1 ? " grey" : ""}${below ? " over" : ""}`,
    });
    if (over && below) image.style.opacity = opacity;
    box.append(image);
    below = true;
  }
  return below ? box : element("span", { class: "absent" }, DASH);
}

const layerPlace = (set, key) => set.layers.findIndex((layer) => layer.key === key);

/** What one cell of a strip lays over one another: a map stands alone, a mask lies over the image. */
function placesOf(set, place) {
  return ["image", "map"].includes(set.layers[place].kind) ? [place] : [0, place];
}

const PAINT = 0.66;

/** Images in rows, a column a layer; each opens the viewer. */
function strip(set, told_) {
  const shown = stripLayers(set).filter((place) => told_.images.some((index) => address(set, index, place)));
  const columns = { "--columns": shown.length };
  const heads = element("div", { class: "heads", style: columns, "aria-hidden": "true" }, shown.map((place) => element("span", {}, set.layers[place].title)));
  const rows = told_.images.map((index, position) => {
    const cells = shown.map((place) => address(set, index, place) ? picture(set, index, placesOf(set, place), { opacity: PAINT }) : element("span", { class: "absent" }, DASH));
    const about = [element("b", {}, set.ids[index]), ` ${classNames(set.classes[index])}`, ...stripFigures(set, index)];
    const button = element("button", { type: "button", class: "strip", style: columns, onclick: () => openViewer(set, told_.images, position, button) }, cells, element("span", { class: "about" }, about));
    return button;
  });
  const scroller = element("div", { class: "gallery" }, element("div", { class: "inner", style: columns }, heads, rows));
  return element("div", { class: "strips" }, element("h3", {}, told_.title), element("p", { class: "note" }, told_.note), scroller);
}

/** All layers of one run; of several, what is judged: all of theirs would be too many. */
function stripLayers(set) {
  const judged = set.judgements.find((one) => one.keys.includes(set.judged)).keys;
  const places = set.layers.map((_, place) => place);
  return judged.length === 1 ? places : places.filter((place) => ["image", "truth"].includes(set.layers[place].kind) || judged.includes(set.layers[place].key));
}

function stripFigures(set, index) {
  const words = [];
  const judged = set.judgements.find((one) => one.keys.includes(set.judged));
  const ious = judged.keys.map((key) => set.figures[key]?.[index]).filter(Boolean).map((figures) => percent(figures[0]));
  if (ious.length) words.push(` · IoU ${ious.join(" → ")} %`);
  if (set.removed[index] !== null) words.push(` · ${percent(set.removed[index], 0)} % of Yᵇ removed`);
  return words;
}
