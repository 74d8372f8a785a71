"use strict";
// The confusion matrix of one mask folder: rows are the truth, their cells shares of it; and what is confused most.

function confusion(place, sets) {
  const choices = sets.flatMap((set) => set.judgements.flatMap((one) => one.keys.map((key, at) => ({ set, key, words: `${one.title}${one.names[at] ? ` of ${one.names[at]}` : ""} (${set.split || set.title})` })))).filter((one) => one.set.confusion[one.key]);
  if (!choices.length) {
    place.hidden = true;
    return;
  }
  const first = Math.max(0, choices.findIndex((one) => one.key === one.set.judged));
  const shown = element("div");
  const show = (at) => shown.replaceChildren(...matrix(choices[at].set.confusion[choices[at].key]));
  place.append(element("div", { class: "controls" }, select("of", choices.map((one, at) => [at, one.words]), first, (at) => show(Number(at)))), shown);
  show(first);
}

function matrix(counts) {
  const used = counts.map((_, at) => at).filter((at) => counts[at].some(Boolean) || counts.some((row) => row[at]));
  const name = (at) => element("th", { scope: "col", class: "slant" }, element("span", {}, className(at)));
  const head = element("tr", {}, element("th", { scope: "col", class: "corner" }, "truth ↓ mask →"), used.map(name), element("th", { scope: "col" }, "pixels"));
  const rows = used.map((truth) => {
    const all = counts[truth].reduce((sum, value) => sum + value, 0);
    const cells = used.map((mask) => {
      const share = all ? counts[truth][mask] / all : 0;
      const words = `${className(truth)} called ${className(mask)}: ${percent(share)} %, ${counts[truth][mask].toLocaleString("en")} pixels`;
      const strength = Math.round(100 * Math.sqrt(share)); // small shares are what one looks for
      return element("td", { title: words, class: `${truth === mask ? "right" : "wrong"}${strength > 62 ? " strong" : ""}`, style: { "--s": `${strength}%` } }, share >= 0.0005 ? percent(share) : "");
    });
    return element("tr", {}, element("th", { scope: "row" }, className(truth)), cells, element("td", { class: "all" }, all.toLocaleString("en")));
  });
  const table = element("table", { class: "confusion" }, element("thead", {}, head), element("tbody", {}, rows));
  return [element("div", { class: "wide" }, table), element("p", { class: "note" }, `Of each class' true pixels, the per cent that the mask gives each class. ${mostConfused(counts, used)}`)];
}

function mostConfused(counts, used) {
  const pairs = used.flatMap((truth) => used.filter((mask) => mask !== truth).map((mask) => [counts[truth][mask], truth, mask]));
  const worst = pairs.filter((pair) => pair[0]).sort((a, b) => b[0] - a[0]).slice(0, 5);
  return worst.length ? `Most pixels: ${worst.map(([pixels, truth, mask]) => `${className(truth)} called ${className(mask)} (${pixels.toLocaleString("en")})`).join("; ")}.` : "";
}

const confusionPlace = document.getElementById("confusion");
if (confusionPlace) confusion(confusionPlace, told.sets);
