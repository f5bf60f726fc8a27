// How the page asks its engine: one function, `ask(request) -> Promise(answer)`, JSON in and JSON out (puretls/labs/playground/engine.py).
// Two transports: the process that served the page, and a worker beside it that runs the engine in Pyodide. The attribute
// `data-transport` of <html> says which: "fetch" or "worker".
//
// The worker is the module worker.js. It gets { id, request }, and sends { id, answer } for each, in any order. While it loads it may send
// { progress: "..." }, a line for the visitor; when it can be asked, { ready: true }; when it never will, { failed: "..." }.

const LOST = "The engine does not answer: is `puretls playground` still running? What you see is kept; try again.";
const ANOTHER = "This page is of a playground that has ended. Open the address that the new one prints, and put there, by Open…, the link that Share… shows here.";

function overFetch() {
  const ask = async (request) => {
    try {
      const response = await fetch("ask", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request),
      });
      if (response.status === 403) return { error: ANOTHER };
      if (!response.ok) return { error: `${LOST} (${response.status})` };
      return await response.json();
    } catch {
      return { error: LOST };
    }
  };
  return Promise.resolve({ ask });
}

function overWorker(told) {
  const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  const waiting = new Map();
  let number = 0;
  const ask = (request) => new Promise((resolve) => {
    number += 1;
    waiting.set(number, resolve);
    worker.postMessage({ id: number, request });
  });
  return new Promise((resolve, reject) => {
    const fail = (text) => {
      waiting.forEach((answer) => answer({ error: text }));
      waiting.clear();
      reject(new Error(text));
    };
    worker.addEventListener("message", ({ data }) => {
      if (data.progress) told(data.progress);
      if (data.failed) fail(data.failed);
      if (data.ready) resolve({ ask });
      if (data.id) {
        waiting.get(data.id)?.(data.answer);
        waiting.delete(data.id);
      }
    });
    worker.addEventListener("error", (event) => fail(`The engine ended: ${event.message || "it could not be loaded"}.`));
  });
}

// The transport of this page, when it can be asked. `told` is called with what it is doing until then.
export function connect(told) {
  return document.documentElement.dataset.transport === "worker" ? overWorker(told) : overFetch();
}
