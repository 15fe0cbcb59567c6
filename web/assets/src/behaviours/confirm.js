// form[data-confirm="question"], or a submit button with it: ask in the page's own dialog first.
// Without JavaScript the form goes straight to the server, which has its own undo time.
const agreed = new WeakSet();

function ask(question, onYes) {
  const dialog = document.getElementById("confirm-dialog");
  if (!dialog?.showModal) {
    if (window.confirm(question)) onYes();
    return;
  }
  dialog.querySelector("[data-confirm-text]").textContent = question;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && onYes(), { once: true });
  dialog.showModal();
}

// Capture phase: the question comes before htmx sees the submission.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const submitter = event.submitter;
  const question = submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || agreed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(question, () => {
    agreed.add(form);
    form.requestSubmit(submitter ?? undefined);
  });
}, true);
