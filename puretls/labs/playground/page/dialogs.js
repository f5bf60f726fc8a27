// The dialogs: what is chosen in each, as a promise of a value, or of null where nothing was.

import { at, element } from "./draw.js";

function asked(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.querySelector(".cancel").onclick = () => dialog.close("");
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"), { once: true });
    dialog.showModal();
  });
}

// A new run

function control(choice, value) {
  const id = `choice-${choice.name}`;
  const hint = choice.hint ? element("span", { className: "note" }, ` ${choice.hint}`) : null;
  if (choice.kind === "flag") {
    return element("label", {}, element("input", { type: "checkbox", id, checked: value }), ` ${choice.title}`, hint);
  }
  if (choice.kind === "text") return element("label", {}, `${choice.title} `, element("input", { id, value, required: true, spellcheck: false }), hint);
  const options = choice.values.map(({ name, text, danger }) =>
    element("option", { value: name, title: text, selected: choice.kind === "one" ? name === value : value.includes(name) },
      danger ? `danger: ${name}` : name || "none"));
  const select = element("select", { id, multiple: choice.kind === "many", size: choice.kind === "many" ? Math.min(6, options.length) : 1 }, ...options);
  const several = choice.usual.length ? "Ctrl or ⌘ adds one" : "Ctrl or ⌘ adds one; none chosen: the usual ones";
  const usual = choice.kind === "many" ? element("span", { className: "note" }, several) : null;
  return element("label", {}, `${choice.title} `, usual, select, hint);
}

function chosen(choice) {
  const input = at(`choice-${choice.name}`);
  if (choice.kind === "flag") return input.checked;
  return choice.kind === "many" ? [...input.selectedOptions].map((option) => option.value) : input.value;
}

export async function newRun(described, current) {
  const usual = Object.fromEntries(described.choices.map((choice) => [choice.name, choice.usual]));
  const fill = (values) => at("choices").replaceChildren(...["client", "server", "both"].map((side) => element("fieldset", {},
    element("legend", {}, side === "both" ? "Both" : `The ${side}`),
    ...described.choices.filter((choice) => choice.side === side).map((choice) => control(choice, values[choice.name])))));
  const presets = at("presets");
  presets.replaceChildren(element("option", { value: "" }, "as it is"), ...described.presets.map(({ title }, number) => element("option", { value: number }, title)));
  presets.onchange = () => {
    const preset = described.presets[presets.value];
    at("preset-text").textContent = preset ? preset.text : "";
    fill(preset ? { ...usual, ...preset.choices } : { ...usual, ...current });
  };
  presets.onchange();
  return (await asked(at("new-dialog"))) ? Object.fromEntries(described.choices.map((choice) => [choice.name, chosen(choice)])) : null;
}

// Open, save, share

export async function open() {
  at("file").value = "";
  at("pasted").value = "";
  if (!(await asked(at("open-dialog")))) return null;
  const [file] = at("file").files;
  return file ? file.text() : at("pasted").value.trim();
}

export async function save() {
  if (!(await asked(at("save-dialog")))) return null;
  return { as: new FormData(at("save-form")).get("as"), secrets: !at("without-secrets").checked };
}

export function share(link) {
  at("link").value = link;
  at("copy").textContent = "Copy";
  at("copy").onclick = async () => {
    at("link").select();
    try {
      await navigator.clipboard.writeText(link);
      at("copy").textContent = "Copied";
    } catch {
      at("copy").textContent = "Copy it by hand";
    }
  };
  return asked(at("share-dialog"));
}

// What an application does, and what is injected

const READY = [
  ["A ChangeCipherSpec", "140303000101"],
  ["A HelloRequest", "160303000400000000"],
  ["A ServerHelloDone", "16030300040e000000"],
  ["A warning: close_notify, in the clear", "15030300020100"],
  ["A fatal alert: handshake_failure, in the clear", "15030300020228"],
  ["An empty record of application data", "1703030000"],
  ["No TLS: an HTTP request", "474554202f20485454502f312e310d0a0d0a"],
  ["A heartbeat that lies about its length", "1803030003010fff"],
];

const ENDINGS = [
  ["say close_notify, and send nothing more", "close"],
  ["give up, with a fatal alert", "abort"],
  ["break the connection: nothing more comes", "end"],
  ["ask for another handshake on this connection", "renegotiate"],
];

const SAYINGS = {
  send: { title: "Send data", button: "Send", label: "Data, as text ", text: "Hello, is this the shop?", ready: [], note: "" },
  close: { title: "Close, or begin again", button: "Do it", label: "", text: "", ready: ENDINGS, note: "" },
  inject: {
    title: "Inject a record", button: "Inject", label: "Bytes, in hexadecimal ", text: READY[0][1], ready: READY,
    note: "It arrives at once at the other end, as if that side had sent it: in front of what is on its way.",
  },
};

// A request, or null. `able` says which sides can do it, where not both can.
export async function say(what, able) {
  const { title, button, label, text, ready, note } = SAYINGS[what];
  at("say-title").textContent = title;
  at("say-ok").textContent = button;
  at("say-ready-label").hidden = !ready.length;
  at("say-ready-label").firstChild.textContent = what === "inject" ? "Ready-made " : "What it does ";
  at("say-text-label").hidden = !label;
  at("say-text-label").firstChild.textContent = label;
  at("say-text").value = text;
  at("say-note").textContent = note;
  at("say-ready").replaceChildren(...ready.map(([name, value]) => element("option", { value }, name)));
  at("say-ready").onchange = () => { at("say-text").value = at("say-ready").value; };
  [...at("say-side").options].forEach((option) => { option.disabled = Boolean(able) && !able[option.value]; });
  at("say-side").value = able && !able.client ? "server" : "client";
  if (!(await asked(at("say-dialog")))) return null;
  const side = at("say-side").value;
  const said = at("say-text").value;
  if (what === "close") return { do: at("say-ready").value, side };
  return what === "inject" ? { do: what, side, hex: said.replaceAll(/\s/g, "") } : { do: what, side, text: said };
}
