import { fileURLToPath } from './builtins.mjs';
import { logFailure, patchConsole } from './console.mjs';
import { loadHandler } from './handler-loader.mjs';

/** Folder with one handler of each module kind. */
const HANDLERS = fileURLToPath(new URL('./rehearsal/', import.meta.url));

/**
 * Runs what a claimed process does outside the Runtime API's loop once: both ways of loading a module, both log formats. Nothing
 * is printed. The first run of each costs milliseconds that the first caller would wait.
 */
export async function rehearse() {
  await loadHandler(HANDLERS, 'required.handler');
  await loadHandler(HANDLERS, 'imported.handler');
  for (const json of [false, true]) {
    const sink = /** @type {Console} */ ({});
    const settings = { json, minLevel: /** @type {const} */ ('TRACE') };
    patchConsole(sink, settings, { requestId: '-', tenantId: undefined }, () => {});
    sink.log('%s', 'rehearsal', {});
    logFailure(sink, settings, 'rehearsal', new Error('rehearsal'));
  }
  // Opens the stream.
  process.stdout.write('');
}
