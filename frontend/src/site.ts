// What every ordinary page has: the theme, copy buttons, and a clean log-out.
import "./styles/site.css";

const YEAR_S = 31_536_000;

function toggleTheme(): void {
  const root = document.documentElement;
  const theme = root.dataset.theme === "light" ? "dark" : "light";
  root.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the server reads it, so that the next page comes in the right theme
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
}

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
