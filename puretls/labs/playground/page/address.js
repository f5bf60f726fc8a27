// The run in the address: behind # stand `run`, a tape as JSON, compressed (raw deflate) and in base64url, and `read`, the name of what
// is read beside the page. So a link is the whole run, a reload loses nothing, and the browser's way back is the way back here.

const MOST = 2 ** 24; // bytes of a tape in an address

async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const pieces = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > MOST) throw new Error("too long");
    pieces.push(next.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

export async function packed(tape) {
  const bytes = await through(new TextEncoder().encode(JSON.stringify(tape)), new CompressionStream("deflate-raw"));
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw"))));
}

const parts = (hash) => new URLSearchParams(hash.slice(hash.indexOf("#") + 1));

// { tape, read, broken } of an address or a link.
export async function opened(hash) {
  const found = parts(hash);
  const read = found.get("read") || "";
  if (!found.get("run")) return { tape: null, read, broken: false };
  try {
    return { tape: await unpacked(found.get("run")), read, broken: false };
  } catch {
    return { tape: null, read, broken: true };
  }
}

export async function written(tape, read) {
  const run = `run=${await packed(tape)}`;
  return `#${read ? `${run}&read=${encodeURIComponent(read)}` : run}`;
}
