const YEAR_S = 31_536_000;

/** Dark or light, kept in a cookie that the server reads, so that the next page comes in the right theme. */
export function toggleTheme(): void {
  const root = document.documentElement;
  const theme = root.dataset.theme === "light" ? "dark" : "light";
  root.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the server reads it, so that the next page comes in the right theme
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
}
