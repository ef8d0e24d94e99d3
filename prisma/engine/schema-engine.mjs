#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { adapterFactory, manageDatabase } from './database.mjs';
import { panicMessage, SchemaEngine, version } from './wasm.mjs';

// Stands in for Prisma's native schema engine: the same arguments, and the same JSON-RPC, a request per line on stdin
// and a response per line on stdout. The work is done by Prisma's WebAssembly build of the same engine.

const argv = process.argv.slice(2);
const valuesOf = (...names) => argv.flatMap((value, at) => (names.includes(argv[at - 1]) ? [value] : []));
const { url = '' } = JSON.parse(valuesOf('--datasource')[0] ?? '{}');

const answer = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

const runCli = async (command) => {
  const failure = await manageDatabase(url, command);
  if (!failure) return 0;
  // The caller reads stderr as JSON lines, skips the first, and wants exactly these fields in another.
  const { code, message, meta } = failure;
  console.error(
    JSON.stringify({ level: 'INFO', fields: { message: 'schema-engine cli' }, target: 'schema_engine' }),
  );
  console.error(
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level: 'ERROR',
      fields: { is_panic: false, message, error_code: code, meta },
      target: 'schema_engine::logger',
    }),
  );
  return 1;
};

const serve = async () => {
  const files = valuesOf('--datamodels', '-d');
  const datamodels = files.length > 0 ? files.map((file) => [file, readFileSync(file, 'utf8')]) : undefined;
  let engine;
  let pending;

  const fail = (error) => {
    const panic = panicMessage();
    const message = panic || (error?.message ?? String(error));
    const data =
      error?.code && !panic
        ? { is_panic: false, message, error_code: error.code, meta: error.meta ?? {} }
        : { is_panic: false, message, backtrace: '' };
    answer({
      id: pending,
      error: { code: 4466, message: 'An error happened. Check the data field for details.', data },
    });
  };
  // A trap in the engine surfaces outside the awaited promise. Left unanswered, the caller would exit 0 in silence.
  const failForGood = (error) => {
    fail(error);
    setTimeout(() => process.exit(101), 50);
  };
  process.on('uncaughtException', failForGood);
  process.on('unhandledRejection', failForGood);

  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    const request = JSON.parse(line);
    if (!request.method) continue;
    pending = request.id;
    try {
      engine ??= await SchemaEngine.new({ datamodels }, () => undefined, { ...adapterFactory(url) });
      const method = request.method === 'getDatabaseVersion' ? 'version' : request.method;
      const result = await engine[method](request.params);
      // The text of a diff travels as a request of its own, before the response.
      if (method === 'diff' && result?.stdout != null) {
        answer({ id: `print-${request.id}`, method: 'print', params: { content: result.stdout } });
      }
      answer({ id: request.id, result: result ?? null });
    } catch (error) {
      fail(error);
    }
  }
  return 0;
};

if (argv.includes('--version')) console.log(`schema-engine ${version()}`);
else process.exitCode = argv.includes('cli') ? await runCli(argv[argv.indexOf('cli') + 1]) : await serve();
// Pools of the adapter may still be open.
process.exit();
