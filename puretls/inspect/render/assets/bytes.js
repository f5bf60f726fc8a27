// Makes the bytes of a conversation ones that can be chosen, and tells what a byte is. Rows are made by
// puretls/inspect/render/dumps.py; text of the conversation reaches the page as text only.
//
// `host` holds the blocks of bytes; `given` are the tables of the rows and the anchors of the keys; `panel` is where a byte is told;
// `onChoose` is called with { leaf, at, byte }, or with null when the panel is closed.
globalThis.byteExplorer = (host, given, panel, onChoose) => {
  "use strict";
  const root = document.documentElement;
  const info = new WeakMap(); // byte element -> its leaf, and its position in it
  const views = new Map(); // "client wire" -> leaves in order of their offsets
  const paths = new Map();
  const all = []; // leaves in the order of the page
  const blocks = new Map(); // block of bytes -> its bytes in order, and the one that Tab reaches
  const HOW = "Choose a byte: what it means stands here.";
  const tellWhich = onChoose || (() => {});
  let chosen = null;
  let marked = [];

  // The path of this number: the one above it, and a step.
  function pathOf(number) {
    if (number < 0) return "";
    const [above, step] = given.paths[number];
    if (!paths.has(number)) paths.set(number, pathOf(above) + step);
    return paths.get(number);
  }

  function leafOf(row, dump) {
    const [start, length, shown, inside, name, kind, value, words, context, link, unit, phase] = row;
    const [meaning, why, rfc] = given.texts[words];
    const [states, key, note, made] = given.contexts[context];
    const text = (index) => given.strings[index];
    const [before, after] = text(states).split("|").map((both) => both.split(";").map((one) => one.split(",")));
    return { start, length, shown, link, unit, phase, before, after, dump, bytes: [], number: all.length, kind: text(kind), value: text(value),
      path: `${pathOf(inside)}.${text(name)}`, made: text(made).split(" ").filter(Boolean),
      meaning: text(meaning), why: text(why), rfc: text(rfc), key: text(key), note: text(note),
      side: dump.dataset.side, view: dump.dataset.view };
  }

  function prepare(dump) {
    const digits = dump.textContent.trim().split(/\s+/);
    const made = document.createDocumentFragment();
    const bytes = [];
    let next = 0;
    (given.dumps[dump.id] || []).forEach((row, index) => {
      const leaf = leafOf(row, dump);
      const look = leaf.kind || (index % 2 ? "odd" : "");
      for (let at = 0; at < leaf.shown; at += 1) {
        const byte = document.createElement("b");
        byte.textContent = digits[next];
        byte.className = at ? look : `${look} begins`;
        byte.tabIndex = next ? -1 : 0;
        byte.setAttribute("role", "option");
        byte.setAttribute("aria-selected", "false");
        info.set(byte, { leaf, at, place: next });
        bytes.push(byte);
        leaf.bytes.push(byte);
        made.append(byte);
        next += 1;
      }
      if (leaf.shown < leaf.length) {
        made.append(element("i", { className: "more" }, `${leaf.length - leaf.shown} more bytes of this field are not on this page`));
      }
      const name = `${leaf.side} ${leaf.view}`;
      if (!views.has(name)) views.set(name, []);
      views.get(name).push(leaf);
      all.push(leaf);
    });
    dump.replaceChildren(made);
    blocks.set(dump, { bytes, reached: bytes[0] });
    dump.setAttribute("role", "listbox");
    dump.setAttribute("aria-label", dump.dataset.label);
  }

  function element(name, properties, ...content) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content.filter((each) => each !== null && each !== ""));
    return made;
  }

  function byteAt(side, view, offset) {
    const leaves = views.get(`${side} ${view}`) || [];
    let low = 0;
    let high = leaves.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const leaf = leaves[middle];
      if (offset < leaf.start) high = middle - 1;
      else if (offset >= leaf.start + leaf.length) low = middle + 1;
      else return leaf.bytes[offset - leaf.start] || null;
    }
    return null;
  }

  const across = (view) => (view === "wire" ? "plaintext" : "wire");
  const called = (view) => (view === "wire" ? "on the wire" : "decrypted");

  // The bytes of the other view that belong to byte `at` of a leaf: [first, end], or null.
  function linkOf(leaf, at) {
    if (!leaf.unit) return null;
    const first = leaf.link + Math.floor((at + leaf.phase) / leaf.unit) * leaf.unit;
    return [first, first + leaf.unit];
  }

  function mark(byte, name) {
    if (byte) {
      byte.classList.add(name);
      marked.push([byte, name]);
    }
  }

  function unmark(names) {
    marked.filter(([, name]) => names.includes(name)).forEach(([old, name]) => old.classList.remove(name));
    marked = marked.filter(([, name]) => !names.includes(name));
  }

  function choose(byte, { focus = true, scroll = false } = {}) {
    const { leaf, at } = info.get(byte);
    const again = marked.length && info.get(chosen).leaf === leaf;
    unmark(again ? ["chosen", "linked"] : ["chosen", "linked", "field"]);
    if (chosen) chosen.setAttribute("aria-selected", "false");
    const block = blocks.get(leaf.dump);
    block.reached.tabIndex = -1;
    block.reached = byte;
    chosen = byte;
    byte.tabIndex = 0;
    byte.setAttribute("aria-selected", "true");
    if (!again) leaf.bytes.forEach((each) => mark(each, "field"));
    mark(byte, "chosen");
    const link = linkOf(leaf, at);
    if (link) for (let offset = link[0]; offset < link[1]; offset += 1) mark(byteAt(leaf.side, across(leaf.view), offset), "linked");
    byte.setAttribute("aria-label", `${byte.textContent}, byte ${leaf.start + at}, ${leaf.path.split(".").pop()} ${leaf.value}`);
    byte.setAttribute("aria-describedby", "meaning");
    root.classList.add("told");
    tell(byte, leaf, at, link);
    if (focus) byte.focus({ preventScroll: true });
    if (focus || scroll) reveal(byte);
    tellWhich({ leaf, at, byte });
  }

  // Into the part of the window that neither the bar nor the panel at the bottom covers.
  function reveal(byte) {
    for (let outer = byte.parentElement; outer; outer = outer.parentElement) if (outer.tagName === "DETAILS") outer.open = true;
    const aside = document.getElementById("panel");
    const covered = getComputedStyle(aside).position === "fixed" ? aside.offsetHeight : 0;
    const box = byte.getBoundingClientRect();
    const top = document.querySelector(".bar").offsetHeight + 12;
    const bottom = window.innerHeight - covered - 12;
    if (box.top < top) window.scrollBy(0, box.top - top - 40);
    else if (box.bottom > bottom) window.scrollBy(0, box.bottom - bottom + 40);
  }

  function tell(byte, leaf, at, link) {
    const offset = leaf.start + at;
    const name = leaf.path.split(".").slice(2).join(".") || leaf.path;
    const hex = byte.textContent;
    const number = parseInt(hex, 16);
    const character = number > 32 && number < 127 ? `'${String.fromCharCode(number)}'` : "";
    const last = leaf.start + leaf.length - 1;
    const range = leaf.length > 1 ? `Bytes ${leaf.start} to ${last}, ${leaf.length} in all` : `Byte ${leaf.start}`;
    panel.replaceChildren(
      element("h2", {}, name),
      element("p", { className: "path" }, leaf.path),
      element("p", {}, element("span", { className: "big" }, `0x${hex}`),
        `${number}, ${number.toString(2).padStart(8, "0")} ${character}`),
      element("p", {}, `Byte ${offset} of what the ${leaf.side} sends, ${called(leaf.view)}.`),
      ...part("The field", element("p", {}, `${range}. `, element("span", { className: "value" }, leaf.value))),
      ...(leaf.note ? part("Note", element("p", { className: "trouble" }, leaf.note)) : []),
      ...(leaf.meaning ? part("What it is", element("p", { id: "meaning" }, leaf.meaning)) : []),
      ...part("Why, and where it is written", element("p", {}, leaf.why ? `${leaf.why} ` : "", ...sections(leaf.rfc))),
      ...part("States", moved("client", 0, leaf), moved("server", 1, leaf)),
      ...part("Protection", element("p", {}, leaf.key ? `Under ${leaf.key}.` : "In the clear: everyone on the way can read it.")),
      ...(leaf.made.length ? part("In the key ledger", element("p", {}, ...listed(leaf.made))) : []),
      ...(link ? part(`The same ${called(across(leaf.view))}`, over(leaf, link)) : []),
      button("Previous field", () => step(-1)),
      button("Next field", () => step(1)),
    );
    panel.parentElement.scrollTop = 0;
  }

  const part = (title, ...content) => [element("h3", {}, title), ...content];
  const button = (text, act) => element("button", { type: "button", onclick: act }, text);

  function listed(names) {
    return [...new Set(names)].flatMap((name, index) => {
      const link = element("a", { href: `#${given.keys[name]}` }, name);
      return index ? [", ", link] : [link];
    });
  }

  function over(leaf, [first, end]) {
    const target = byteAt(leaf.side, across(leaf.view), first);
    const text = end - first > 1 ? `Bytes ${first} to ${end - 1}: one block of the cipher` : `Byte ${first}`;
    return target ? button(text, () => choose(target)) : element("p", {}, `${text}, not on this page.`);
  }

  function moved(side, index, leaf) {
    const [before, after] = [leaf.before[index], leaf.after[index]].map((names) => names.join(" or "));
    const link = (names) => names.flatMap((name, at) => {
      const one = element("a", { href: `#state-${side}-${name}`, className: "state" }, name);
      return at ? [" or ", one] : [one];
    });
    const way = before === after ? [" stays in ", ...link(leaf.after[index])] : [" ", ...link(leaf.before[index]), " → ", ...link(leaf.after[index])];
    return element("p", {}, side, ...way);
  }

  function sections(rfc) {
    return rfc.split("; ").flatMap((name, index) => {
      const found = /^RFC (\d+)(?: (?:(\d[\d.]*)|([A-Z][\d.]*)))?$/.exec(name);
      const anchor = found && (found[2] ? `#section-${found[2]}` : found[3] ? `#appendix-${found[3]}` : "");
      const link = found
        ? element("a", { href: `https://www.rfc-editor.org/rfc/rfc${found[1]}${anchor}`, rel: "noreferrer", className: "rfc" }, name)
        : name;
      return index ? ["; ", link] : [link];
    });
  }

  // Steps

  // The next leaf in this direction of which bytes are shown.
  function leafBeside(leaf, by) {
    let number = leaf ? leaf.number + by : 0;
    while (all[number] && !all[number].bytes.length) number += by;
    return all[number];
  }

  function step(by) {
    const target = leafBeside(chosen && info.get(chosen).leaf, by);
    if (target) choose(target.bytes[0]);
  }

  function beside(byte, by) {
    const { leaf, place } = info.get(byte);
    const { bytes } = blocks.get(leaf.dump);
    const target = bytes[place + by];
    if (target) return target;
    if (Math.abs(by) > 1) return by > 0 ? bytes[bytes.length - 1] : bytes[0];
    const next = leafBeside(leaf, by);
    return !next ? byte : by > 0 ? next.bytes[0] : next.bytes[next.bytes.length - 1];
  }

  const columns = (dump) => getComputedStyle(dump).gridTemplateColumns.split(" ").length;

  function ends(byte, last) {
    const { bytes } = blocks.get(byte.parentElement);
    return bytes[last ? bytes.length - 1 : 0];
  }

  const keys = {
    ArrowRight: (byte) => choose(beside(byte, 1)),
    ArrowLeft: (byte) => choose(beside(byte, -1)),
    ArrowDown: (byte) => choose(beside(byte, columns(byte.parentElement))),
    ArrowUp: (byte) => choose(beside(byte, -columns(byte.parentElement))),
    Home: (byte) => choose(ends(byte, false)),
    End: (byte) => choose(ends(byte, true)),
    n: () => step(1),
    p: () => step(-1),
    " ": (byte) => choose(byte),
    Enter: (byte) => {
      const { leaf, at } = info.get(byte);
      const link = linkOf(leaf, at);
      const target = link && byteAt(leaf.side, across(leaf.view), link[0]);
      choose(target || byte);
    },
  };

  function close() {
    root.classList.remove("told");
    unmark(["chosen", "linked", "field"]);
    panel.replaceChildren(element("p", {}, HOW));
    tellWhich(null);
  }

  // Search

  function find(text, on, said) {
    const wanted = text.trim().toLowerCase();
    const hits = wanted ? all.filter((leaf) => leaf.bytes.length).filter((leaf) => leaf.path.toLowerCase().includes(wanted) || leaf.value.toLowerCase().includes(wanted)) : [];
    if (!hits.length) {
      said.textContent = wanted ? "none" : "";
      return;
    }
    const now = chosen ? hits.indexOf(info.get(chosen).leaf) : -1;
    const at = on ? (now + on + hits.length) % hits.length : 0;
    said.textContent = `${at + 1} of ${hits.length}`;
    choose(hits[at].bytes[0], { focus: false, scroll: true });
  }

  function go(side, view, offset) {
    const byte = byteAt(side, view, offset);
    if (byte) choose(byte, { focus: false, scroll: true });
    return byte;
  }

  host.querySelectorAll(".hex").forEach(prepare);
  views.forEach((leaves) => leaves.sort((one, other) => one.start - other.start));

  host.addEventListener("click", (event) => {
    const byte = event.target.closest(".hex b");
    const field = event.target.closest("[data-at]");
    if (byte) choose(byte);
    if (field) {
      const { side, view } = host.querySelector(field.getAttribute("href")).dataset;
      if (go(side, view, Number(field.dataset.at))) event.preventDefault();
    }
  });
  host.addEventListener("focusin", (event) => {
    const byte = event.target.closest(".hex b");
    if (byte && byte !== chosen && byte.matches(":focus-visible")) choose(byte);
  });
  host.addEventListener("keydown", (event) => {
    const byte = event.target.closest(".hex b");
    const act = byte && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key];
    if (act) {
      event.preventDefault();
      act(byte);
    }
  });
  panel.replaceChildren(element("p", {}, HOW));
  return { go, find, close };
};
