import { existsSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

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
  const path = `node_modules/lucide-static/icons/${name}.svg`;
  if (!existsSync(path)) throw new Error(`web/icons.ts names "${name}", which Lucide does not have`);
  const drawing = readFileSync(path, "utf8");
  const shapes = drawing.replace(/^[^]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s*\n\s*/g, "");
  return (
    `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
    `stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`
  );
}
