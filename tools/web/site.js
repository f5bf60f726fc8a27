// Search, the list of pages on a phone, dark and light, links beside headings. Everything else works without JavaScript.
"use strict";

const root = new URL("..", document.currentScript.src);
document.documentElement.classList.add("scripted");

function made(name, properties, ...children) { // an element; properties with a hyphen are attributes
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

const told = made("p", { role: "status" });
const results = made("ol", {});
const found = made("div", { id: "found", hidden: true }, told, results);
const query = made("input", { type: "search", placeholder: "Search  /", autocomplete: "off", spellcheck: false, "aria-label": "Search" });
const field = made("search", {}, query, found);
const theme = made("button", { type: "button" });
const menu = made("button", { id: "menu", type: "button", textContent: "Pages", "aria-expanded": "false", "aria-controls": "pages" });
document.querySelector("header").append(field, theme, menu);

// Dark and light

const themes = ["light", "dark"];
const scheme = matchMedia("(prefers-color-scheme: dark)");
const shownTheme = () => document.documentElement.dataset.theme ?? (scheme.matches ? "dark" : "light");
const otherTheme = () => themes[1 - themes.indexOf(shownTheme())];

function kept(name, value) { // a page without storage forgets the choice, and works
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {
    return null;
  }
}

function showTheme() {
  theme.textContent = otherTheme() === "dark" ? "Dark" : "Light";
}

if (themes.includes(kept("theme"))) document.documentElement.dataset.theme = kept("theme");
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = otherTheme();
  kept("theme", shownTheme());
  showTheme();
});
scheme.addEventListener("change", showTheme);
showTheme();

// The list of pages

const pages = document.getElementById("pages");
menu.addEventListener("click", () => {
  const open = pages.classList.toggle("open");
  menu.setAttribute("aria-expanded", open);
});

// Headings: the way to their own address

for (const heading of document.querySelectorAll("main :is(h2, h3)[id]")) {
  heading.append(" ", made("a", { className: "anchor", href: `#${heading.id}`, textContent: "#", "aria-label": `Link to “${heading.textContent}”` }));
}

// What is wider than the page can be moved by the arrow keys

function letScroll() {
  for (const wide of document.querySelectorAll("pre, .wide")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}
addEventListener("resize", letScroll);
letScroll();

// Search: every word must begin a word of a section; the index is loaded when somebody wants to search

const MOST = 30;
let sections = null;

function loadIndex() {
  if (sections !== null) return;
  sections = [];
  const onload = () => {
    for (const [address, page, ...parts] of globalThis.searchIndex) {
      for (const [anchor, title, text] of parts) {
        const name = title || `${page}.${anchor}`;
        sections.push({ address: anchor ? `${address}#${anchor}` : address, page: anchor && title ? page : "", name, isName: !title, text: text ?? "" });
      }
    }
    search();
  };
  document.head.append(made("script", { src: new URL("assets/search.js", root).href, onload }));
}

const escaped = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function score(section, patterns, wanted) { // 0: not found; names of the reference come behind texts, unless the whole name was asked for
  let sum = 0;
  for (const pattern of patterns) {
    const inName = section.name.match(pattern)?.length ?? 0;
    const inText = section.text.match(pattern)?.length ?? 0;
    const inPage = section.page.match(pattern)?.length ?? 0;
    if (inName + inText + inPage === 0) return 0;
    sum += 12 * Math.min(inName, 1) + 3 * Math.min(inPage, 1) + Math.min(inText, 4);
  }
  if (section.name.split(".").pop().toLowerCase() === wanted) sum += 60;
  return (section.isName ? 0.4 : 1) * (sum + 6 / section.name.length);
}

function marked(text, pattern) { // the text with what was found in mark elements
  const pieces = document.createDocumentFragment();
  let end = 0;
  for (const hit of text.matchAll(pattern)) {
    pieces.append(text.slice(end, hit.index), made("mark", { textContent: hit[0] }));
    end = hit.index + hit[0].length;
  }
  pieces.append(text.slice(end));
  return pieces;
}

function excerpt(text, pattern) {
  const at = Math.max(0, text.search(pattern) - 60);
  const start = at && text.indexOf(" ", at) + 1;
  return `${start ? "… " : ""}${text.slice(start, start + 170)}${start + 170 < text.length ? " …" : ""}`;
}

function search() {
  const words = query.value.trim().split(/\s+/).filter(Boolean);
  found.hidden = words.length === 0;
  results.replaceChildren();
  if (words.length === 0) return;
  const patterns = words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}])${escaped(word)}`, "giu"));
  const any = new RegExp(patterns.map((pattern) => pattern.source).join("|"), "giu");
  const hits = sections.map((section) => [score(section, patterns, words.join(" ").toLowerCase()), section]).filter(([points]) => points > 0);
  hits.sort(([a], [b]) => b - a);
  told.textContent = hits.length > MOST ? `${hits.length} places, the first ${MOST}:` : hits.length === 1 ? "1 place" : `${hits.length} places`;
  for (const [, section] of hits.slice(0, MOST)) {
    const name = section.page ? `${section.page}: ${section.name}` : section.name;
    const link = made("a", { href: new URL(section.address, root).href }, marked(name, any));
    if (section.text) link.append(made("span", {}, marked(excerpt(section.text, any), any)));
    results.append(made("li", {}, link));
  }
}

function closeSearch() {
  found.hidden = true;
}

function onArrow(event) { // up and down through the field and what was found
  const stops = [query, ...results.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || at < 0) return;
  event.preventDefault();
  stops[Math.min(stops.length - 1, Math.max(0, at + step))].focus();
}

query.addEventListener("focus", loadIndex);
query.addEventListener("input", () => { loadIndex(); search(); });
query.addEventListener("keydown", (event) => { if (event.key === "Enter") results.querySelector("a")?.click(); });
field.addEventListener("keydown", (event) => {
  onArrow(event);
  if (event.key === "Escape") { query.value = ""; query.focus(); closeSearch(); }
});
field.addEventListener("focusout", (event) => { if (event.relatedTarget && !field.contains(event.relatedTarget)) closeSearch(); });
results.addEventListener("click", closeSearch);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    query.focus();
  }
});
