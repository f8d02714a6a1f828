import { globSync } from "node:fs";
import { defineConfig } from "vite";
import { compress } from "./web/bundle/compress.ts";
import { drawings } from "./web/bundle/drawings.ts";
import { manifest } from "./web/bundle/manifest.ts";
import { icons } from "./web/icons.ts";

/** `web/app.ts` is on every page; `web/DOMAIN/NAME.entry.ts` becomes the asset `DOMAIN/NAME.js`. */
const islands = globSync("web/*/*.entry.ts").map((path) => [
  path.replace(/^web\/(.*)\.entry\.ts$/, "$1"),
  path,
]);

export default defineConfig({
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [drawings(icons), manifest(), compress()],
  build: {
    outDir: "src/firstbell/static",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: "web/app.ts", ...Object.fromEntries(islands) },
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
