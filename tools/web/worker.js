// The engine of the playground in Pyodide: loaded once, then asked as transport.js says ({ id, request } in, { id, answer } out).

import { loadPyodide } from "./pyodide/pyodide.js";
import createPyodideModule from "./pyodide/pyodide.asm.js";

const PACKAGES = "/packages";
const ENGINE = `
import json, sys
sys.path.insert(0, "${PACKAGES}")
from puretls.labs.playground.engine import answer
lambda request: json.dumps(answer(json.loads(request)))
`;

async function packages() {
  const response = await fetch(new URL("packages.zip", location.href));
  if (!response.ok) throw new Error(`packages.zip: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load() {
  postMessage({ progress: "Python is being loaded: 13 megabytes, kept by the browser for the next time." });
  const [pyodide, archive] = await Promise.all([loadPyodide({ createPyodideModule }), packages()]);
  postMessage({ progress: "puretls is being loaded." });
  pyodide.unpackArchive(archive, "zip", { extractDir: PACKAGES }); // from files Python imports in half the time
  const ask = pyodide.runPython(ENGINE);
  postMessage({ ready: true });
  return ask;
}

function line(error) { // the last line of a traceback says what is wrong
  return String(error?.message ?? error).trim().split("\n").pop();
}

const loaded = load();
loaded.catch((error) => postMessage({ failed: `The engine could not be loaded: ${line(error)}` }));

onmessage = async ({ data: { id, request } }) => {
  const ask = await loaded;
  let answer;
  try {
    answer = JSON.parse(ask(JSON.stringify(request)));
  } catch (error) {
    answer = { error: `The engine failed, which it never should: ${line(error)}` };
  }
  postMessage({ id, answer });
};
