// form[data-preference="size|contrast"]: change the root attribute at once and let the server set
// the cookie in the background. The same form works as a plain POST without JavaScript.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-preference]");
  if (!form) return;
  event.preventDefault();
  const name = form.dataset.preference;
  const field = form.querySelector("[data-preference-value]");
  const button = form.querySelector("button");
  const body = new FormData(form);
  const { on, off } = form.dataset;
  const turnedOn = field.value === on;
  document.documentElement.setAttribute(`data-${name}`, field.value);
  button.setAttribute("aria-pressed", String(turnedOn));
  field.value = turnedOn ? off : on;
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", credentials: "same-origin" });
    if (answer.type !== "opaqueredirect" && !answer.ok) form.submit();
  } catch {
    // Offline: the page has changed already, only the memory of it is missing.
  }
});
