// Runs Python that comes in lines of JSON on standard input, in one Pyodide; answers in lines of JSON.
// node runner.mjs PACKAGES ARCHIVE FOLDER: the folder of the npm packages, a zip of Python packages, a folder to be seen as /test.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => { process.stderr.write(`${error.stack}\n`.slice(0, 4000)); process.exit(1); });
const [packages, archive, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${packages}/pyodide/pyodide.mjs`));
const { WebSocket, WebSocketServer } = await import(pathToFileURL(`${packages}/ws/wrapper.mjs`));
globalThis.WebSocket ??= WebSocket;
globalThis.WebSocketServer = WebSocketServer; // for relays of the tests' own
const pyodide = await loadPyodide({ stdout: (line) => process.stderr.write(`${line}\n`) });
pyodide.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", { extractDir: "/lib/python3.14/site-packages" });
pyodide.mountNodeFS("/test", folder);
if (typeof WebAssembly.Suspending === "function") await pyodide.useNodeSockFS();
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const globals = pyodide.toPy({});
    answer = { result: await pyodide.runPythonAsync(JSON.parse(line), { globals }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
