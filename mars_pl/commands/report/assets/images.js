"use strict";
// The table of all images: sorted by any column, filtered by class, by what was removed and by name, some at a time.

const ROWS = 20;
const MUCH = 0.6;

/** The columns for what is judged: one mask's IoU, FP and FN, or those of several runs and how they differ. */
function columnsOf(set, judgement) {
  const figure = (key, at) => (index) => set.figures[key]?.[index]?.[at] ?? null;
  const keys = judgement.keys;
  const columns = [
    { key: "id", title: "image", value: (index) => set.ids[index] },
    { key: "classes", title: "classes", value: (index) => classNames(set.classes[index]) },
  ];
  if (keys.length === 1) {
    columns.push({ key: "iou", title: "IoU %", value: figure(keys[0], 0), show: percent, rising: true });
    columns.push({ key: "fp", title: "FP", value: figure(keys[0], 1), show: fraction });
    columns.push({ key: "fn", title: "FN", value: figure(keys[0], 2), show: fraction });
  } else {
    const ious = keys.map((key) => figure(key, 0));
    ious.forEach((value, at) => columns.push({ key: `iou${at}`, title: `IoU % ${judgement.names[at]}`, value, show: percent, rising: true }));
    columns.push({ key: "difference", title: keys.length === 2 ? "difference" : "spread", value: difference(ious), show: signed, size: true });
    if (keys.length === 2) {
      columns.push({ key: "fp", title: "FP difference", value: difference(keys.map((key) => figure(key, 1))), show: signedFraction, size: true });
      columns.push({ key: "fn", title: "FN difference", value: difference(keys.map((key) => figure(key, 2))), show: signedFraction, size: true });
    }
  }
  const share = (value) => (value === null ? DASH : `${percent(value, 0)} %`);
  for (const key of ["removed", "restored"]) {
    if (set[key].some((value) => value !== null)) columns.push({ key, title: key, value: (index) => set[key][index], show: share });
  }
  return columns;
}

/** Second less first; of more than two, the largest less the smallest; null where one was not measured. */
function difference(ofRuns) {
  return (index) => {
    const values = ofRuns.map((value) => value(index));
    if (values.some((value) => value === null)) return null;
    return values.length === 2 ? values[1] - values[0] : Math.max(...values) - Math.min(...values);
  };
}

function imageTable(place, set) {
  const count = set.ids.length;
  const state = { judgement: Math.max(0, set.judgements.findIndex((one) => one.keys.includes(set.judged))), class: "", removed: "", text: "", page: 0, sort: null, direction: 1 };
  const said = element("output", { class: "note", "aria-live": "polite" });
  const head = element("tr");
  const body = element("tbody");
  const table = element("table", { class: "images" }, element("thead", {}, head), body);
  const pager = element("div", { class: "pager" });
  let columns = [];
  let order = [];

  function controls() {
    const held = [...new Set(set.classes.flat())].sort((a, b) => a - b);
    const change = (key) => (value) => { state[key] = value; state.page = 0; show(); };
    const parts = [];
    if (set.judgements.length > 1) parts.push(select("figures of", set.judgements.map((one, at) => [at, one.title]), state.judgement, (value) => { state.judgement = Number(value); show(); }));
    parts.push(select("class", [["", "all"], ...held.map((index) => [index, className(index)])], "", change("class")));
    if (set.removed.some((value) => value !== null)) {
      const little = `little: at most ${percent(told.little, 0)} %`;
      parts.push(select("removed", [["", "any"], ["little", little], ["much", `more than ${percent(MUCH, 0)} %`]], "", change("removed")));
    }
    const search = element("input", { type: "search", placeholder: "part of a name", oninput: (event) => change("text")(event.target.value) });
    parts.push(element("label", {}, element("span", {}, "image"), search));
    return element("div", { class: "controls", role: "group", "aria-label": `which ${set.title}` }, parts, said);
  }

  function kept(index) {
    if (state.class !== "" && !set.classes[index].includes(Number(state.class))) return false;
    const removed = set.removed[index];
    if (state.removed === "little" && !(removed !== null && removed <= told.little)) return false;
    if (state.removed === "much" && !(removed !== null && removed > MUCH)) return false;
    return set.ids[index].toLowerCase().includes(state.text.toLowerCase());
  }

  function sorted() {
    const column = columns.find((one) => one.key === state.sort);
    const value = column.size ? (index) => (column.value(index) === null ? null : Math.abs(column.value(index))) : column.value;
    const keyed = [...Array(count).keys()].filter(kept).map((index) => [value(index), index]);
    return keyed.sort((a, b) => compare(a[0], b[0], state.direction) || a[1] - b[1]).map((pair) => pair[1]);
  }

  function show() {
    columns = columnsOf(set, set.judgements[state.judgement]);
    if (!columns.some((column) => column.key === state.sort)) firstSort();
    order = sorted();
    state.page = Math.min(state.page, Math.max(0, Math.ceil(order.length / ROWS) - 1));
    showHead();
    const from = state.page * ROWS;
    body.replaceChildren(...order.slice(from, from + ROWS).map((index, at) => row(index, from + at)));
    said.textContent = order.length === count ? `${count.toLocaleString("en")} images` : `${order.length.toLocaleString("en")} of ${count.toLocaleString("en")} images`;
    showPager(from);
  }

  function firstSort() {
    const wanted = columns.find((column) => column.key === "difference") ? ["difference", -1] : ["iou", 1];
    const measured = columns.find((column) => column.key === wanted[0] && set.ids.some((_, index) => column.value(index) !== null));
    [state.sort, state.direction] = measured ? wanted : columns.some((column) => column.key === "removed") ? ["removed", -1] : ["id", 1];
  }

  function showHead() {
    const focused = head.contains(document.activeElement) ? [...head.cells].indexOf(document.activeElement.closest("th")) : -1;
    const headings = columns.map((column) => element("th", { scope: "col", class: column.key === "classes" ? "words" : null }));
    headings.forEach((heading, at) => sortButton(heading, columns[at].title, () => {
      const column = columns[at];
      state.direction = state.sort === column.key ? -state.direction : column.rising || !column.show ? 1 : -1;
      state.sort = column.key;
      state.page = 0;
      show();
    }));
    head.replaceChildren(...headings);
    showSorted(headings, headings[columns.findIndex((column) => column.key === state.sort)], state.direction);
    if (focused >= 0) head.cells[focused]?.querySelector("button").focus();
  }

  function row(index, position) {
    const thumb = set.pictures[index] ? picture(set, index, [0, layerPlace(set, set.judgements[state.judgement].keys.at(-1))]) : element("span", { class: "absent" });
    const names = element("span", { class: "name" }, element("b", {}, set.ids[index]), element("small", { class: "narrow" }, classNames(set.classes[index])));
    const button = element("button", { type: "button", class: "open", tabindex: body.dataset.focused === String(index) ? "0" : "-1", "data-index": index }, thumb, names);
    const cells = columns.slice(1).map((column) => element("td", { class: column.key === "classes" ? "words" : null }, column.show ? column.show(column.value(index)) : column.value(index)));
    return element("tr", { onclick: () => openViewer(set, order, position, button) }, element("th", { scope: "row" }, button), cells);
  }

  function showPager(from) {
    const pages = Math.ceil(order.length / ROWS);
    const turn = (by, words) => element("button", { type: "button", disabled: state.page + by < 0 || state.page + by >= pages, onclick: () => { state.page += by; show(); pager.children[by < 0 ? 0 : 2].focus(); } }, words);
    const here = element("span", {}, order.length ? `${from + 1}–${Math.min(from + ROWS, order.length)} of ${order.length.toLocaleString("en")}` : "no image is like that");
    pager.replaceChildren(...(pages > 1 ? [turn(-1, "‹ before"), here, turn(1, "after ›")] : [here]));
    const first = body.querySelector('.open[tabindex="0"]') ?? body.querySelector(".open");
    if (first) first.tabIndex = 0; // one of the rows is in the order of the tab key, arrows reach the others
  }

  body.addEventListener("keydown", (event) => {
    const buttons = [...body.querySelectorAll(".open")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined || !buttons[to]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
  place.append(controls(), element("div", { class: "wide" }, table), pager);
  show();
}

for (const place of document.querySelectorAll("[data-images]")) {
  const set = told.sets[Number(place.dataset.images)];
  imageTable(place, set);
  place.append(...set.strips.map((one) => strip(set, one)));
}
