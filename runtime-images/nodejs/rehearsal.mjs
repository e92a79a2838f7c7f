import { fileURLToPath } from './builtins.mjs';
import { patchConsole } from './console.mjs';
import { loadHandler } from './handler-loader.mjs';

/** Folder with one handler of each module kind. */
const HANDLERS = fileURLToPath(new URL('./rehearsal/', import.meta.url));

/**
 * Runs what a claimed process does outside the Runtime API's loop once: both ways of loading a module and a line of log. Nothing
 * is printed. The first run of each costs time that the first caller would wait; what is left out (JSON lines, failures) costs
 * each waiting pod more memory than it saves.
 */
export async function rehearse() {
  await loadHandler(HANDLERS, 'required.handler');
  await loadHandler(HANDLERS, 'imported.handler');
  const sink = /** @type {Console} */ ({});
  patchConsole(sink, { json: false, minLevel: 'TRACE' }, { requestId: '-', tenantId: undefined }, () => {});
  sink.log('%s', 'rehearsal');
  // Opens the stream.
  process.stdout.write('');
}
