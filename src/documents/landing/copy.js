// Gives each box a button that copies it. Browsers have no clipboard outside a secure context:
// there the boxes stay as they are.
if (navigator.clipboard) {
  let last;
  for (const box of document.querySelectorAll("textarea")) {
    const button = document.createElement("button");
    button.type = "button";
    button.id = `${box.id}b`;
    button.textContent = "Copy";
    button.setAttribute("aria-labelledby", `${button.id} ${box.getAttribute("aria-labelledby") ?? `${box.id}l`}`);
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      if (last) last.textContent = "";
      last = status;
      try {
        await navigator.clipboard.writeText(box.value);
        status.textContent = "Copied";
      } catch {
        box.focus();
        box.select();
        status.textContent = "The browser did not copy it. It is selected: press Ctrl+C, on a Mac ⌘C.";
      }
    });
    const row = document.createElement("p");
    row.append(button, status);
    box.after(row);
  }
}
