// tr[data-row-link]: a click anywhere in the row follows the row's first link.
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.target.closest("a, button, input, select, label, summary")) return;
  const row = event.target.closest("tr[data-row-link]");
  if (row && !String(window.getSelection())) row.querySelector("a[href]")?.click();
});
