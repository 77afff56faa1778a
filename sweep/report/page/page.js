"use strict";
// The page is complete without this script, which adds sorting, filters, tooltips, explanations and the theme.
// Data enters the page as text only, never as markup.

const root = document.documentElement;
root.classList.add("scripted");

/** Make an element; `options` are properties, `children` nodes or texts. */
function make(tag, options = {}, ...children) {
  const element = Object.assign(document.createElement(tag), options);
  element.append(...children);
  return element;
}

// ---- Tables: sorting and filters ------------------------------------------------------------------------------------

/** What a cell is sorted by: null for a gap, a number, or a text as pieces that are in turn texts and numbers. */
function readKey(cell) {
  const raw = cell.dataset.value;
  if (raw === "") return null;
  if (raw !== undefined) return Number(raw);
  return cell.textContent.split(/(\d+(?:\.\d+)?)/).map((piece, index) => (index % 2 ? Number(piece) : piece));
}

function compareKeys(a, b) {
  if (typeof a === "number" || typeof b === "number") {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // numbers before texts
    return a - b;
  }
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    if (a[index] !== b[index]) return a[index] < b[index] ? -1 : 1;
  }
  return a.length - b.length;
}

/** Let each heading sort, numbers from the largest, texts from the first; then the other way, and back as it came. */
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const original = [...body.rows];
  const sortBy = (head, index) => {
    const orders = head.classList.contains("n") ? ["descending", "ascending"] : ["ascending", "descending"];
    const order = orders[orders.indexOf(head.getAttribute("aria-sort")) + 1];
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    if (!order) return body.append(...original);
    head.setAttribute("aria-sort", order);
    const sign = order === "descending" ? -1 : 1;
    const keyed = original.map((row) => [readKey(row.cells[index]), row]);
    keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compareKeys(a, b)));
    return body.append(...keyed.map(([, row]) => row));
  };
  heads.forEach((head, index) => {
    const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
    button.addEventListener("click", () => sortBy(head, index));
    head.append(button);
  });
}

/** Text of a row without deviations and bounds, whose digits would match other numbers. */
function readText(row) {
  const copy = row.cloneNode(true);
  copy.querySelectorAll(".std, .bounds").forEach((part) => part.remove());
  return [...copy.cells].map((cell) => cell.textContent).join("\n").toLowerCase();
}

const FILTERED = 10; // rows from which on a filter helps

/** Put a filter above a long table: rows stay that hold every word, in whatever cell. */
function makeFilterable(table, box) {
  const hint = table.querySelector("[data-explanation]") ? [make("span", {}, "Select a number to see where it comes from.")] : [];
  const tools = make("div", { className: "tools" }, ...hint);
  if (hint.length || table.tBodies[0].rows.length >= FILTERED) box.before(tools);
  if (table.tBodies[0].rows.length < FILTERED) return;
  const rows = [...table.tBodies[0].rows].map((row) => [row, readText(row)]);
  const input = make("input", { type: "search", autocomplete: "off", spellcheck: false, placeholder: "words to find" });
  const count = make("output");
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [row, text] of rows) row.hidden = !words.every((word) => text.includes(word));
    const shown = rows.filter(([row]) => !row.hidden).length;
    count.value = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    tools.classList.toggle("filtered", shown < rows.length);
  };
  input.addEventListener("input", filter);
  tools.prepend(make("label", {}, "Filter ", input), count);
  filter();
}

function equip(box) {
  makeSortable(box.querySelector("table"));
  makeFilterable(box.querySelector("table"), box);
}

document.querySelectorAll(".scroll").forEach(equip);

/** A table that has room enough is no box that scrolls: its headings then stay in sight while the page scrolls. */
const fitter = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const fits = target.classList.toggle("fits", target.scrollWidth <= target.clientWidth);
    if (fits) target.removeAttribute("tabindex"); // nothing to scroll with the keyboard
    else target.tabIndex = 0;
  }
});
document.querySelectorAll(".scroll").forEach((box) => fitter.observe(box));

// ---- Explanations: where a number comes from ------------------------------------------------------------------------

const dialog = make("dialog", { id: "explanation" });
document.body.append(dialog);
let opener = null;

function explain(template, button) {
  const close = make("button", { type: "button", className: "close", ariaLabel: "Close" }, "×");
  close.addEventListener("click", () => dialog.close());
  const head = make("div", { className: "head" }, make("h2", {}, template.dataset.title), close);
  dialog.replaceChildren(make("div", { className: "sheet" }, head, template.content.cloneNode(true)));
  dialog.setAttribute("aria-label", template.dataset.title);
  dialog.querySelectorAll(".scroll").forEach(equip);
  opener = button;
  dialog.showModal();
  dialog.scrollTop = 0;
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // the sheet fills the dialog: only its backdrop is left
});
dialog.addEventListener("close", () => opener?.focus());

for (const cell of document.querySelectorAll("[data-explanation]")) {
  const template = document.getElementById(`explanation-${cell.dataset.explanation}`);
  const label = `${cell.textContent}. Explain: ${template.dataset.title}`;
  const button = make("button", { type: "button", className: "why", ariaLabel: label }, ...cell.childNodes);
  button.ariaHasPopup = "dialog";
  button.addEventListener("click", () => explain(template, button));
  cell.append(button);
}

// ---- Figures: numbers on hover and on focus -------------------------------------------------------------------------

const tooltip = make("div", { id: "tooltip", role: "tooltip", hidden: true });
document.body.append(tooltip);
let told = null; // the mark that the tooltip speaks of

function place() {
  const mark = told.getBoundingClientRect();
  const box = tooltip.getBoundingClientRect();
  const left = Math.min(Math.max(8, mark.left + (mark.width - box.width) / 2), root.clientWidth - box.width - 8);
  const top = mark.top - box.height - 8;
  tooltip.style.left = `${left}px`;
  tooltip.style.top = `${top < 8 ? mark.bottom + 8 : top}px`;
}

function tell(mark) {
  told = mark;
  tooltip.hidden = !mark;
  if (!mark) return;
  tooltip.textContent = mark.getAttribute("aria-label");
  place();
}

/** Give a figure one tab stop; arrow keys lead from mark to mark, in the order they are drawn. */
function makeExplorable(drawing) {
  const marks = [...drawing.querySelectorAll(".mark")];
  if (!marks.length) return;
  const svg = drawing.querySelector("svg");
  svg.setAttribute("aria-label", svg.querySelector("title").textContent);
  svg.removeAttribute("aria-labelledby");
  drawing.querySelectorAll("title").forEach((title) => title.remove()); // the browser would show them a second time
  marks.forEach((mark, place) => mark.setAttribute("tabindex", place ? "-1" : "0"));

  const move = (mark) => {
    marks.forEach((other) => other.setAttribute("tabindex", other === mark ? "0" : "-1"));
    mark.focus();
  };
  const markOf = (event) => event.target.closest(".mark");
  const focused = () => (drawing.contains(document.activeElement) ? document.activeElement.closest(".mark") : null);
  drawing.addEventListener("pointerover", (event) => tell(markOf(event) ?? focused()));
  drawing.addEventListener("pointerleave", () => tell(focused()));
  drawing.addEventListener("focusin", (event) => tell(markOf(event)));
  drawing.addEventListener("focusout", () => tell(null));
  drawing.addEventListener("keydown", (event) => {
    const here = marks.indexOf(markOf(event));
    const last = marks.length - 1;
    const goals = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1 };
    const goal = { ...goals, Home: 0, End: last, PageDown: here + 10, PageUp: here - 10 }[event.key];
    if (here < 0 || goal === undefined) return;
    event.preventDefault();
    move(marks[Math.min(Math.max(goal, 0), last)]);
  });
}

document.querySelectorAll(".drawing").forEach(makeExplorable);
addEventListener("scroll", () => told && place(), { capture: true, passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && tell(null));

// ---- Theme, contents list, print ------------------------------------------------------------------------------------

const isDark = matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");
const findTheme = () => root.dataset.theme ?? (isDark.matches ? "dark" : "light"); // the reader's choice, or the system's
const findOther = () => (findTheme() === "dark" ? "light" : "dark");
const showTheme = () => void (themeButton.textContent = findOther() === "dark" ? "Dark" : "Light"); // what it does

themeButton.addEventListener("click", () => {
  root.dataset.theme = findOther();
  showTheme();
});
isDark.addEventListener("change", showTheme);
showTheme();

const contents = document.querySelector("#contents details");
const isNarrow = matchMedia("(max-width: 70rem)");
const foldContents = () => void (contents.open = !isNarrow.matches);
isNarrow.addEventListener("change", foldContents);
foldContents();
contents.addEventListener("click", (event) => {
  if (event.target.closest("a") && isNarrow.matches) contents.open = false;
});

// The contents point out what is being read: the last part that began above the upper third of the screen.
const links = [...contents.querySelectorAll("a")].map((link) => [link, document.querySelector(link.hash)]);
function pointOut() {
  const begun = links.filter(([, part]) => part.getBoundingClientRect().top < innerHeight / 3);
  const [current] = begun.at(-1) ?? links[0];
  links.forEach(([link]) => link.removeAttribute("aria-current"));
  current.setAttribute("aria-current", "true");
}
addEventListener("scroll", pointOut, { passive: true });
pointOut();

/** A link to a folded table unfolds it. */
function unfoldTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.querySelector?.("details")?.setAttribute("open", "");
}
addEventListener("hashchange", unfoldTarget);
unfoldTarget();

let opened = []; // what printing unfolds, to be folded again
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((details) => details.toggleAttribute("open", true));
});
addEventListener("afterprint", () => opened.forEach((details) => details.toggleAttribute("open", false)));
