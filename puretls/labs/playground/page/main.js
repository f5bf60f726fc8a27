// The playground: keeps the tape, asks the engine, and draws what it answers.

import { opened, written } from "./address.js";
import * as dialogs from "./dialogs.js";
import * as draw from "./draw.js";
import { connect } from "./transport.js";

const { at, element, put } = draw;
const root = document.documentElement;
let transport = null;
let described = null; // what can be chosen, changed and read
let tape = null;
let view = null;
let reading = "";
let explorer = null;
let chosen = null; // the byte of which everything is told
let turn = 0; // answers to what was asked before the newest request are dropped

const depth = () => history.state?.depth || 0;

// Asking

function complain(text) {
  at("error").textContent = text || "";
}

// Ask, and show the run that comes of it; `keep` leaves the browser's history as it is.
async function go(request, { keep = false } = {}) {
  turn += 1;
  const mine = turn;
  root.classList.add("asking");
  const answer = await transport.ask({ tape, ...request });
  if (mine !== turn) return false;
  complain(answer.error);
  if (!answer.error) {
    const address = await written(answer.tape, reading);
    if (mine !== turn) return false;
    tape = answer.tape;
    view = answer.view;
    if (keep) history.replaceState({ depth: depth() }, "", address);
    else history.pushState({ depth: depth() + 1 }, "", address);
    drawAll();
  }
  root.classList.remove("asking");
  return !answer.error;
}

// Drawing

function drawAll() {
  draw.outcome(view);
  draw.buttons(view, depth());
  draw.ladder(view, show);
  draw.ends(view);
  draw.changes(view, (number) => go({ do: "unchange", number }));
  drawScene();
  if (at("keys").open) drawKeys();
}

function drawScene() {
  const was = chosen;
  chosen = null;
  explorer?.close();
  explorer = null;
  at("message-tools").hidden = !view.scene;
  at("note").textContent = view.scene?.note || "";
  at("note").hidden = !at("note").textContent;
  if (!view.scene) {
    at("scene").replaceChildren(element("p", { className: "note" }, "Nothing was sent yet. The first message comes with “Start”."));
    at("told").replaceChildren(element("p", {}, "When there are bytes, choose one: what it means stands here."));
    return;
  }
  const host = element("div");
  put(host, view.scene.html);
  at("scene").replaceChildren(host);
  explorer = globalThis.byteExplorer(host, view.scene.data, at("told"), chose);
  if (was && was.path === view.shown) explorer.go(was.side, was.view, was.offset);
}

function chose(which) {
  at("change-byte").hidden = at("change-field").hidden = !which;
  if (!which) {
    chosen = null;
    return;
  }
  const { leaf, at: place, byte } = which;
  const again = chosen && chosen.field === leaf.path;
  chosen = { path: view.shown, side: leaf.side, view: leaf.view, offset: leaf.start + place, field: leaf.path };
  at("byte").value = byte.textContent;
  if (!again) at("value").value = "";
}

async function show(path) {
  const answer = await transport.ask({ do: "message", tape, path });
  complain(answer.error);
  if (answer.error) return;
  view = { ...view, ...answer };
  draw.ladder(view, show);
  drawScene();
  at("scene").focus({ preventScroll: true });
  const top = at("message-title").getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) at("message-title").scrollIntoView();
}

async function drawKeys() {
  const answer = await transport.ask({ do: "keys", tape });
  complain(answer.error);
  if (answer.html) put(at("ledger"), answer.html);
}

// Links inside what the renderers made: messages, keys, states, bytes.
async function follow(name) {
  const anchor = name.slice(1);
  if (/^m\d+$/.test(anchor)) {
    const message = view.messages[Number(anchor.slice(1))];
    if (message) await show(message.path);
    return;
  }
  if (/^k\d+$/.test(anchor) && !at(anchor)) {
    at("keys").open = true;
    await drawKeys();
  }
  const target = at(anchor);
  if (!target) return;
  document.querySelectorAll(".aimed").forEach((old) => old.classList.remove("aimed"));
  target.classList.add("aimed");
  target.scrollIntoView({ block: "center" });
}

// Reading beside it

async function read(name) {
  reading = name;
  root.classList.toggle("reads", Boolean(name));
  at("reading").hidden = !name;
  if (tape) history.replaceState({ depth: depth() }, "", await written(tape, reading));
  if (!name) return;
  at("pages").value = name;
  const answer = await transport.ask({ do: "read", name });
  complain(answer.error);
  put(at("text"), answer.html || "");
  at("text").querySelectorAll("a[href]").forEach((link) => {
    if (/^https?:/.test(link.getAttribute("href"))) Object.assign(link, { target: "_blank", rel: "noreferrer" });
    else link.replaceWith(...link.childNodes); // pages of the manual, which are not here
  });
  at("text").scrollTop = 0;
}

// What a visitor does

function press(id, act) {
  at(id).addEventListener("click", () => {
    if (at(id).getAttribute("aria-disabled") !== "true" && transport && view) act();
  });
}

async function say(what, able) {
  const request = await dialogs.say(what, able);
  if (request) await go(request);
}

async function openRun() {
  const text = await dialogs.open();
  if (text === null) return;
  if (!text.includes("run=")) {
    await go({ do: "load", text });
    return;
  }
  const found = await opened(text);
  if (found.tape) await go({ do: "view", tape: found.tape });
  else complain("The link is broken: it holds no run that can be read.");
}

async function saveRun() {
  const request = await dialogs.save();
  if (!request) return;
  const answer = await transport.ask({ do: "save", tape, ...request });
  complain(answer.error);
  if (answer.error) return;
  const bytes = Uint8Array.from(atob(answer.base64), (letter) => letter.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
  element("a", { href: address, download: answer.name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function newRun() {
  const choices = await dialogs.newRun(described, view.choices);
  if (choices) await go({ do: "new", choices });
}

const message = (request) => go({ path: view.shown, who: at("who").value, ...request });

press("step", () => go({ do: "step" }));
press("run", () => go({ do: "run" }));
press("back", () => go({ do: "back" }));
press("undo", () => history.back());
press("resume", () => go({ do: "resume" }));
press("ask-send", () => say("send", view.can.send));
press("ask-close", () => say("close", view.can.close));
press("ask-inject", () => say("inject", null));
press("ask-new", newRun);
press("ask-open", openRun);
press("ask-save", saveRun);
press("ask-share", () => dialogs.share(root.dataset.transport === "worker" ? location.href : location.hash));
press("ask-read", () => read(reading ? "" : at("pages").value));
press("arrive", () => message({ do: "to" }));
press("drop", () => message({ do: "drop" }));
press("repeat", () => message({ do: "repeat" }));
press("swap", () => message({ do: "swap" }));
at("stop-reading").addEventListener("click", () => read("").then(() => at("ask-read").focus()));
at("pages").addEventListener("change", () => read(at("pages").value));
at("close").addEventListener("click", () => explorer?.close());
at("keys").addEventListener("toggle", () => at("keys").open && view && drawKeys());
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("scene").focus();
});

at("change-byte").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!chosen) return;
  const { side, view: which, offset } = chosen;
  go({ do: "change", side, view: which, offset, byte: parseInt(at("byte").value, 16), who: at("who").value });
});
at("change-field").addEventListener("submit", (event) => {
  event.preventDefault();
  if (chosen) go({ do: "change", path: chosen.field, operation: at("operation").value, value: at("value").value.trim(), who: at("who").value });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (!link || event.defaultPrevented || link.id === "skip") return;
  event.preventDefault();
  follow(link.getAttribute("href"));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) explorer?.close();
});
window.addEventListener("popstate", async () => {
  const found = await opened(location.hash);
  if (found.tape) await go({ do: "view", tape: found.tape }, { keep: true });
});

// The beginning

async function begin() {
  root.classList.add("scripted");
  try {
    transport = await connect((text) => { at("outcome").textContent = text; });
  } catch (error) {
    complain(error.message);
    return;
  }
  const [answer, found] = await Promise.all([transport.ask({ do: "describe" }), opened(location.hash)]);
  if (answer.error) {
    complain(answer.error);
    return;
  }
  described = answer;
  put(at("legend"), described.legend);
  put(at("arrowhead"), described.arrowhead);
  at("operation").replaceChildren(...Object.entries(described.operations).map(([name, text]) => element("option", { value: name, title: text }, name)));
  at("pages").replaceChildren(...described.reading.map(({ name, title }) => element("option", { value: name }, title)));
  at("ask-read").setAttribute("aria-disabled", String(!described.reading.length));
  const came = found.tape && (await go({ do: "view", tape: found.tape }, { keep: true }));
  const why = found.broken ? "The link is broken: it holds no run that can be read. This is a new one." : at("error").textContent;
  if (!came) {
    await go({ do: "new", tape: null }, { keep: true });
    complain(why);
  }
  if (found.read) await read(found.read);
  root.classList.add("ready");
  // What runs for the first time is slow, above all in Pyodide: it has run once before somebody presses a button.
  if (!view.step) transport.ask({ do: "run", tape });
}

begin();
