import type { Plugin } from "vite";

/**
 * Emit `manifest.json`: the flat map from the name a template says (`app.css`, `documents/upload.js`, `icons.svg`)
 * to the hashed file that holds it. Pages resolve names through it; nothing else knows the hashes.
 */
export function manifest(): Plugin {
  return {
    name: "firstbell:manifest",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const files: Record<string, string> = {};
        for (const file of Object.values(bundle)) {
          if (file.type === "asset") {
            for (const name of file.names) files[name] = file.fileName;
          } else if (file.isEntry) {
            files[`${file.name}.js`] = file.fileName;
          }
        }
        const sorted = Object.fromEntries(Object.entries(files).sort());
        this.emitFile({ type: "asset", fileName: "manifest.json", source: JSON.stringify(sorted, null, 1) });
      },
    },
  };
}
