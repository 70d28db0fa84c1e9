"use strict";
const said = document.getElementById("said");
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const selection = getSelection();
    selection.selectAllChildren(source);
    let copied = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      copied = true;
    } catch {
      copied = document.execCommand("copy");
    }
    if (copied) {
      selection.removeAllRanges();
    }
    button.textContent = copied ? "Copied" : "Selected";
    said.textContent = copied ? "Copied to the clipboard" : "Selected; copy it with your keyboard";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
function markSelected() {
  for (const link of document.querySelectorAll("svg a")) {
    if (location.hash && link.getAttribute("href") === location.hash) {
      link.setAttribute("aria-current", "true");
    } else {
      link.removeAttribute("aria-current");
    }
  }
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) {
    target.focus({ preventScroll: false });
  }
}
addEventListener("hashchange", markSelected);
markSelected();
