// What every ordinary page has: the theme, copy buttons, parts that keep themselves true, plots where there are
// any, and a clean log-out.
import { keepTrue } from "./live/fragments";
import { unsentDrafts } from "./state/queue";
import "./styles/site.css";
import { toggleTheme } from "./theme";

async function copy(button: HTMLElement): Promise<void> {
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  const words = button.getAttribute("aria-label") ?? "";
  button.setAttribute("aria-label", "Copied");
  button.classList.add("on");
  setTimeout(() => {
    button.setAttribute("aria-label", words);
    button.classList.remove("on");
  }, 1500);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-theme-toggle]")) toggleTheme();
  const button = target?.closest<HTMLElement>("[data-copy]");
  if (button) void copy(button);
});

/** Warns once of drafts that are on this computer only; they stay here, under their reader's name. */
async function logOut(form: HTMLFormElement): Promise<void> {
  const waiting = await unsentDrafts().catch(() => 0);
  form.dataset.sure = "yes";
  if (waiting === 0) {
    form.requestSubmit();
    return;
  }
  const warning = document.createElement("p");
  warning.className = "sm warn";
  warning.setAttribute("role", "alert");
  warning.textContent = `${waiting === 1 ? "One draft on this computer is" : `${waiting} drafts on this computer are`} not on the server yet. Open the reading page to send, or log out all the same.`;
  form.prepend(warning);
}

document.addEventListener("submit", (event) => {
  const form = event.target instanceof HTMLFormElement ? event.target : null;
  if (!form || !("logout" in form.dataset) || form.dataset.sure) return;
  event.preventDefault();
  void logOut(form);
});

// Plots come in a chunk of their own: most pages have none.
if (document.querySelector("[data-plots]")) void import("./plots/mount").then((plots) => plots.keepDrawn());

keepTrue();
