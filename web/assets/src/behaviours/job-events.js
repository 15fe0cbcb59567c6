// [data-job="address of its part"][data-job-events="stream"]: the part is fetched anew each time the job
// says that it has moved. Where no stream is to be had (all places taken), it is asked now and then.
const ASK_EVERY_MS = 5000;

/** One fetch at a time; what is told meanwhile leads to one more. */
function renewer(root) {
  const state = { root, busy: false, again: false };
  return async function renew() {
    if (state.busy) {
      state.again = true;
      return;
    }
    state.busy = true;
    try {
      const answer = await fetch(state.root.dataset.job, { credentials: "same-origin", headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(state.root.id);
      const held = document.activeElement && state.root.contains(document.activeElement);
      state.root.replaceWith(part);
      state.root = part;
      if (held) part.querySelector("button, a[href]")?.focus();
    } catch {
      // the line is down: the next event, or the next turn, brings it
    } finally {
      state.busy = false;
    }
    if (state.again) {
      state.again = false;
      await renew();
    }
    return state.root.dataset.job !== undefined; // still open
  };
}

function follow(root) {
  const renew = renewer(root);
  const stream = new EventSource(root.dataset.jobEvents);
  const ask = async () => (await renew()) !== false && setTimeout(ask, ASK_EVERY_MS);
  stream.addEventListener("job", async () => (await renew()) === false && stream.close());
  stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && setTimeout(ask, ASK_EVERY_MS));
}

for (const root of document.querySelectorAll("[data-job-events]")) follow(root);
