"use strict";
// One image at a time, its layers beside or over one another. Escape closes, arrows go on, digits toggle layers.

const view = { side: window.innerWidth >= 760, hidden: new Set(), over: null, blend: 0.6, grey: true, zoom: 1, x: 0, y: 0 };
const viewer = { set: null, order: [], position: 0, opener: null };
const dialog = document.getElementById("viewer");
const panes = element("div", { class: "panes" });
const parts = Object.fromEntries(["title", "bar", "about"].map((name) => [name, element("div", { class: name })]));

function openViewer(set, order, position, opener) {
  const before = viewer.set;
  Object.assign(viewer, { set, order, position, opener });
  if (before !== set) view.over = new Set([0, layerPlace(set, set.judged)]);
  resetZoom();
  showImage();
  dialog.showModal();
  panes.focus();
}

const index = () => viewer.order[viewer.position];
const isShown = (place) => (view.side ? !view.hidden.has(viewer.set.layers[place].key) : view.over.has(place));

function toggle(place) {
  const [chosen, key] = view.side ? [view.hidden, viewer.set.layers[place].key] : [view.over, place];
  chosen.has(key) ? chosen.delete(key) : chosen.add(key);
  showImage();
}

function go(by) {
  const to = viewer.position + by;
  if (to < 0 || to >= viewer.order.length) return;
  viewer.position = to;
  showImage();
}

function resetZoom() {
  Object.assign(view, { zoom: 1, x: 0, y: 0 });
  placeZoom();
}

function zoom(factor) {
  view.zoom = Math.min(16, Math.max(1, view.zoom * factor));
  if (view.zoom === 1) Object.assign(view, { x: 0, y: 0 });
  placeZoom();
}

function placeZoom() {
  const most = (view.zoom - 1) / 2; // of a picture's size: its edge stays at the pane's
  view.x = Math.min(most, Math.max(-most, view.x));
  view.y = Math.min(most, Math.max(-most, view.y));
  panes.style.setProperty("--zoom", view.zoom);
  panes.style.setProperty("--x", `${100 * view.x}%`);
  panes.style.setProperty("--y", `${100 * view.y}%`);
  panes.classList.toggle("zoomed", view.zoom > 1);
}

function showImage() {
  const set = viewer.set;
  const there = set.layers.map((_, place) => place).filter((place) => address(set, index(), place));
  const shown = there.filter(isShown);
  const settings = { opacity: view.blend, grey: view.grey, lazy: false };
  const made = view.side ? shown.map((place) => pane(placesOf(set, place), caption(place), settings)) : [pane(shown, shown.map(caption).join(" + "), settings)];
  panes.replaceChildren(...(set.pictures[index()] ? made : [element("p", { class: "note" }, "No picture of this image was kept: mars report --pictures N keeps more.")]));
  panes.classList.toggle("side", view.side);
  showTitle();
  showBar(there);
  showAbout(shown);
}

function pane(places, words, settings) {
  return element("figure", { class: "pane" }, element("div", { class: "frame" }, picture(viewer.set, index(), places, settings)), element("figcaption", {}, words || "nothing is shown"));
}

/** A layer's name and, of a mask, its figures. */
function caption(place) {
  const layer = viewer.set.layers[place];
  const figures = viewer.set.figures[layer.key]?.[index()];
  return figures ? `${layer.title}: IoU ${percent(figures[0])} %, FP ${fraction(figures[1])}, FN ${fraction(figures[2])}` : layer.title;
}

function showTitle() {
  const at = `${(viewer.position + 1).toLocaleString("en")} of ${viewer.order.length.toLocaleString("en")}`;
  const id = viewer.set.ids[index()];
  dialog.setAttribute("aria-label", `image ${id}`);
  const step = (by, words, name) => element("button", { type: "button", "aria-label": name, "aria-disabled": viewer.order[viewer.position + by] === undefined ? "true" : null, onclick: () => go(by) }, words);
  const names = element("div", { class: "names", "aria-live": "polite" }, element("h2", {}, id), element("span", { class: "note" }, `${classNames(viewer.set.classes[index()])} · ${at}`));
  keepFocus(parts.title, [names, step(-1, "‹", "image before"), step(1, "›", "image after"), element("button", { type: "button", "aria-label": "close", onclick: () => dialog.close() }, "✕")]);
}

function showBar(there) {
  const layers = viewer.set.layers.map((layer, place) => element("button", {
    type: "button", "aria-pressed": String(isShown(place) && there.includes(place)), disabled: !there.includes(place), title: place < 9 ? `key ${place + 1}` : null, onclick: () => toggle(place),
  }, layer.title));
  const flip = (key, words, title) => element("button", { type: "button", "aria-pressed": String(view[key]), title, onclick: () => { view[key] = !view[key]; showImage(); } }, words);
  const slider = element("input", { type: "range", min: 0, max: 1, step: 0.05, value: view.blend, oninput: (event) => { view.blend = Number(event.target.value); for (const image of panes.querySelectorAll("img.over")) image.style.opacity = view.blend; } });
  const by = (factor, words, name) => element("button", { type: "button", "aria-label": name, onclick: () => zoom(factor) }, words);
  keepFocus(parts.bar, [
    element("div", { class: "group", role: "group", "aria-label": "layers" }, layers),
    element("div", { class: "group", role: "group", "aria-label": "view" }, flip("side", "side by side", "key S"), flip("grey", "grey image", "key G"), element("label", {}, element("span", {}, "blend"), slider), by(0.5, "−", "zoom out"), by(2, "+", "zoom in"), element("button", { type: "button", title: "key 0", onclick: resetZoom }, "whole")),
  ]);
}

/** Write a part anew and leave the focus on the control that had it. */
function keepFocus(part, children) {
  const controls = () => [...part.querySelectorAll("button, input")];
  const at = controls().indexOf(document.activeElement);
  part.replaceChildren(...children);
  if (at >= 0) controls()[at]?.focus();
}

function showAbout(shown) {
  const set = viewer.set;
  const [classes, also] = [set.classes[index()], set.also[index()]];
  const legend = element("ul", { class: "legend" }, classes.map(chip), also.map((one) => element("li", {}, element("i", { style: { "--c": told.colours[one] } }), `also drawn: ${className(one)}`)), hatched("removed (biased)", told.biased), hatched("ignored", "var(--soft)"));
  const said = ["removed", "restored"].filter((key) => set[key][index()] !== null).map((key) => `${key} ${percent(set[key][index()])} %`);
  const hasMap = shown.some((place) => set.layers[place].kind === "map");
  parts.about.replaceChildren(legend, ...(hasMap ? [colourBar()] : []), element("p", { class: "note" }, said.join(" · ")));
}

dialog.append(parts.title, parts.bar, panes, parts.about);
panes.tabIndex = -1;
dialog.addEventListener("close", () => {
  const row = viewer.opener?.classList.contains("open") ? document.querySelector(`.open[data-index="${index()}"]`) : null;
  (row && viewer.opener.closest("table")?.contains(row) ? row : viewer.opener)?.focus();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
  const place = Number(event.key) - 1;
  const does = { ArrowRight: () => go(1), ArrowLeft: () => go(-1), "+": () => zoom(2), "-": () => zoom(0.5), 0: resetZoom, s: () => { view.side = !view.side; showImage(); }, g: () => { view.grey = !view.grey; showImage(); } }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (does) does();
  else if (place >= 0 && place < viewer.set.layers.length && address(viewer.set, index(), place)) toggle(place);
  else return;
  event.preventDefault();
});
panes.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return; // a plain wheel scrolls
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.25 : 0.8);
}, { passive: false });
panes.addEventListener("dblclick", () => (view.zoom > 1 ? resetZoom() : zoom(3)));
panes.addEventListener("pointermove", (event) => {
  if (!event.buttons || view.zoom === 1) return;
  const frame = event.target.closest(".frame");
  if (!frame) return;
  view.x += event.movementX / frame.clientWidth;
  view.y += event.movementY / frame.clientHeight;
  placeZoom();
});
