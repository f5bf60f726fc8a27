// The page: its bytes can be chosen, its address names the one that was, and the message in view is marked in the thread.
(() => {
  "use strict";
  let noted = 0;

  document.documentElement.classList.add("scripted");
  const explorer = globalThis.byteExplorer(
    document, JSON.parse(document.getElementById("data").textContent), document.getElementById("told"),
    (which) => note(which ? `#${which.leaf.side}/${which.leaf.view}/${which.leaf.start + which.at}` : ""),
  );

  // The address follows with a delay: browsers refuse to change it hundreds of times in a minute.
  function note(hash) {
    clearTimeout(noted);
    noted = setTimeout(() => history.replaceState(null, "", hash || location.pathname + location.search), 200);
  }

  function open(hash) {
    const [side, view, offset] = decodeURIComponent(hash.slice(1)).split("/");
    if (offset !== undefined) explorer.go(side, view, Number(offset));
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") explorer.close();
  });
  const box = document.getElementById("find");
  const found = document.getElementById("found");
  box.addEventListener("input", () => explorer.find(box.value, 0, found));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") explorer.find(box.value, event.shiftKey ? -1 : 1, found);
  });
  document.getElementById("close").addEventListener("click", explorer.close);
  window.addEventListener("hashchange", () => open(location.hash));

  // The message in view is marked in the thread.
  const rungs = new Map([...document.querySelectorAll(".thread a")].map((link) => [link.getAttribute("href").slice(1), link.parentElement]));
  const watcher = new IntersectionObserver((entries) => {
    entries.forEach((entry) => {
      const rung = rungs.get(entry.target.id);
      if (rung) rung.classList.toggle("now", entry.isIntersecting);
    });
  }, { rootMargin: "-30% 0px -60% 0px" });
  document.querySelectorAll(".scene[id]").forEach((scene) => watcher.observe(scene));

  open(location.hash);
})();
