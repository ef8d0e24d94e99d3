import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';

const require = createRequire(import.meta.url);

// The package's entry expects a bundler that can import .wasm files; Node is told by hand.
const folder = path.dirname(require.resolve('@prisma/schema-engine-wasm'));
const bytes = readFileSync(path.join(folder, 'schema_engine_bg.wasm'));
const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': engine });
engine.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

// The engine's panic handler leaves its message here before the trap; the trap itself says only "unreachable".
const panic = {
  message: '',
  set_message(/** @type {string} */ message) {
    panic.message = message;
  },
};
Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: panic });

export const { SchemaEngine, version } = engine;
export const panicMessage = () => panic.message;
