// A browser runs no worker for a page from a disk, and no module: say so, and how it works.
"use strict";

if (location.protocol === "file:") {
  document.getElementById("outcome").textContent =
    "From a disk browsers run no engine. In the folder of the site: python3 -m http.server --bind 127.0.0.1, then open http://127.0.0.1:8000/playground/.";
}
