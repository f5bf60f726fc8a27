// Draws what the engine answers. Markup is made by the renderers of puretls.inspect, which escape whatever a peer wrote; all else is text.

export const at = (id) => document.getElementById(id);

export function element(name, properties = {}, ...content) {
  const made = document.createElement(name);
  Object.entries(properties).forEach(([key, value]) => {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  });
  made.append(...content.filter((each) => each !== null && each !== ""));
  return made;
}

// Markup of the engine's renderers, in place of what is in an element.
export function put(target, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  target.replaceChildren(template.content);
}

const hidden = (text) => element("span", { className: "hidden" }, text);

export function ladder(view, choose) {
  const rungs = view.messages.map((message) => {
    const way = message.side === "client" ? "client to server: " : "server to client: ";
    const marks = [message.changed && "changed", message.refused && "refused", !message.arrived && "on its way"].filter(Boolean).join(", ");
    const link = element("a", { href: "#scene" }, hidden(way), element("b", {}, message.name.replace(" (refused)", "")),
      marks ? element("span", { className: "mark" }, marks) : null, element("span", { className: "size" }, `${message.size}`), hidden(" bytes"));
    link.dataset.path = message.path;
    if (message.path === view.shown) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(message.path);
    });
    const looks = { sealed: message.sealed, bad: message.refused, now: message.path === view.shown, coming: !message.arrived };
    return element("li", { className: [message.side, ...Object.keys(looks).filter((look) => looks[look])].join(" ") }, link);
  });
  at("ladder").replaceChildren(...rungs);
  const waiting = ["client", "server"].filter((side) => view.waiting[side]).map((side) => `${view.waiting[side]} bytes from the ${side}`);
  at("way").textContent = waiting.length ? `On the way: ${waiting.join(", ")}.` : view.step ? "Nothing is on the way." : "The client has not begun.";
}

const pictures = new Map(); // side -> what is drawn of its states

export function ends(view) {
  ["client", "server"].forEach((side) => {
    const end = view.ends[side];
    at(`now-${side}`).replaceChildren(element("code", {}, end.state), element("span", { className: "note" }, ` ${end.meaning}`));
    if (pictures.get(side) !== end.picture) put(at(`picture-${side}`), end.picture);
    pictures.set(side, end.picture);
  });
  at("events").replaceChildren(...view.told.map(({ side, kind, text }) =>
    element("li", { className: kind === "failed" ? "bad" : "" }, element("b", { className: side }, `The ${side}`), kind === "data" ? ": gets the data " : ": ",
      kind === "data" ? element("q", {}, text) : text)));
  at("applications").hidden = !view.told.length;
}

export function changes(view, undo) {
  const made = view.changes.map((change, number) => element("li", {},
    element("code", {}, `${change.operation} ${change.path}`), change.value && !(change.made && change.operation === "flip") ? element("code", {}, ` ${short(change.value)}`) : null,
    ` by ${change.who}${change.connection > 1 ? `, connection ${change.connection}` : ""}. `,
    element("span", { className: change.made ? "note" : "note waits" }, change.made ? change.text : `Not made: ${change.text}`),
    element("button", { type: "button", onclick: () => undo(number), "aria-label": `Take back: ${change.operation} ${change.path}` }, "Take back")));
  at("changes").replaceChildren(...(made.length ? [element("h3", {}, "Changes"), element("ol", {}, ...made)] : []));
}

const short = (text) => (text.length > 40 ? `${text.slice(0, 36)}…` : text);

export function outcome(view) {
  const number = view.connection > 1 ? `Connection ${view.connection}. ` : "";
  at("outcome").textContent = number + view.outcome;
  at("outcome").className = view.failed ? "failed" : view.complete ? "well" : "";
  at("why").hidden = !view.why;
  if (view.why) {
    put(at("why"), view.why);
    at("why").prepend(element("h2", {}, view.failed ? "What went wrong" : "Why it does not go on"));
  } else at("why").replaceChildren();
}

export function buttons(view, depth) {
  const can = { step: view.can.step, run: view.can.step, back: view.can.back, undo: depth > 0,
    "ask-send": view.can.send.client || view.can.send.server, "ask-close": view.can.close.client || view.can.close.server,
    resume: view.can.resume, "ask-inject": view.step > 0 };
  // aria-disabled keeps the place of the keyboard where a button has just become of no use.
  Object.entries(can).forEach(([id, able]) => at(id).setAttribute("aria-disabled", String(!able)));
  at("step").textContent = view.step ? "Step" : "Start";
}
