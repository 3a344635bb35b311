import { defineConfig } from "vitest/config";

// Django serves dist/ below /static/ and reads the manifest to find the hashed names.
export default defineConfig({
  base: "/static/",
  build: {
    manifest: true,
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        main: "src/main.ts",
        aided: "src/aided.ts",
        case: "src/case.ts",
        review: "src/review.ts",
        site: "src/site.ts",
        "site-css": "src/styles/site.css",
      },
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"], restoreMocks: true },
});
