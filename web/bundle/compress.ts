import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { Plugin } from "vite";

const compressible = /\.(css|js|svg)$/;
const encodings = {
  br: (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  gz: (bytes: Buffer) => gzipSync(bytes, { level: 9 }),
  zst: (bytes: Buffer) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }),
};

/** Write `.br`, `.gz` and `.zst` beside every text asset, so that the server sends them without any work. */
export function compress(): Plugin {
  return {
    name: "firstbell:compress",
    async writeBundle({ dir }, bundle) {
      for (const fileName of Object.keys(bundle).filter((name) => compressible.test(name))) {
        const path = join(dir!, fileName);
        const bytes = await readFile(path);
        for (const [suffix, encode] of Object.entries(encodings)) {
          await writeFile(`${path}.${suffix}`, encode(bytes));
        }
      }
    },
  };
}
