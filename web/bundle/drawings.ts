import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const require = createRequire(import.meta.url);

/** Emit `favicon.svg`, and `icons.svg` with the named Lucide icons in it; an unknown name fails the build. */
export function drawings(names: readonly string[]): Plugin {
  return {
    name: "firstbell:drawings",
    generateBundle() {
      const symbols = [...new Set(names)].sort().map(symbol).join("");
      const source = `<svg xmlns="http://www.w3.org/2000/svg">${symbols}</svg>`;
      this.emitFile({ type: "asset", name: "icons.svg", source });
      this.emitFile({ type: "asset", name: "favicon.svg", source: readFileSync("web/favicon.svg") });
    },
  };
}

function symbol(name: string): string {
  const drawing = readFileSync(require.resolve(`lucide-static/icons/${name}.svg`), "utf8");
  const shapes = drawing.replace(/^[^]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s*\n\s*/g, "");
  return (
    `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
    `stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`
  );
}
