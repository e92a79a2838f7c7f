import { defineAwsLambda, isStreaming } from './awslambda.mjs';
import { logFailure, parseLogSettings, patchConsole } from './console.mjs';
import { makeContext } from './context.mjs';
import { reportCrashes } from './crash.mjs';
import { languageVersion, replaceEnvironment } from './environment.mjs';
import { formatError, RuntimeError } from './errors.mjs';
import { loadHandler } from './handler-loader.mjs';
import { MODERN, makeInvoke } from './invoke.mjs';
import { importFromLayers } from './layer-modules.mjs';
import { rehearse } from './rehearsal.mjs';
import { RuntimeApi } from './runtime-api.mjs';

/*
 * The Node.js runtime: starts before it belongs to a function (KAPPA_BOOT=generic), runs one invocation of its own through the
 * same code to warm it, waits for the claim, and becomes that function. Without KAPPA_BOOT it has the complete environment already.
 * docs/internals.md, "Agent and runtime process: pre-boot".
 */

const api = new RuntimeApi(process.env['AWS_LAMBDA_RUNTIME_API'] ?? '127.0.0.1:9001');
/** @type {import('./console.mjs').LogScope} */
const scope = { requestId: undefined, tenantId: undefined };

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

async function main() {
  const isGeneric = process.env['KAPPA_BOOT'] === 'generic';
  const claim = isGeneric ? await waitForClaim() : ownClaim();
  replaceEnvironment(claim.environment);
  importFromLayers(process.env['NODE_PATH'] ?? '');
  process.chdir(claim.taskRoot);
  const version = ownVersion();
  scope.requestId = version < MODERN ? undefined : '-';
  const settings = parseLogSettings(process.env);
  patchConsole(console, settings, scope, write);
  const crashes = reportCrashes(api, settings);
  defineAwsLambda(process.env);
  const count = Number(process.env['AWS_LAMBDA_MAX_CONCURRENCY'] ?? '1');
  const several = count > 1 ? await import('./several.mjs') : null;
  let handler;
  let invoke;
  try {
    handler = await loadHandler(claim.taskRoot, claim.handler);
    if (several !== null && !isStreaming(handler)) several.refuseCallbacks(handler);
    invoke = await makeInvoke(handler, several === null ? version : MODERN, api);
    // Rejections that the module has left behind are its own, not the first invocation's: Node reports them before this.
    await new Promise((resolve) => setImmediate(resolve));
  } catch (error) {
    logFailure(console, settings, version < MODERN ? 'Uncaught Exception' : 'Init Error', error);
    await api.failInit(formatError(error));
    process.exit(1);
  }
  if (crashes.isEnding) return;
  const streams = isStreaming(handler);
  if (several === null) {
    for (;;) await serveOne(invoke, { api, env: process.env, version, settings, crashes, streams });
  }
  crashes.current = null; // nobody can tell whose a crash is: the process ends, and with it all that runs
  const runIn = several.keepApart(scope);
  const env = { ...process.env }; // which trace an invocation belongs to stands in its context only
  await several.serveAll(count, async (own) => {
    const call = await makeInvoke(handler, MODERN, own);
    for (;;) await serveOne(call, { api: own, env, version, settings, crashes, streams, runIn });
  });
}

function ownVersion() {
  return languageVersion(process.env['AWS_EXECUTION_ENV'], process.versions.node);
}

/** The environment that the agent started this process with is complete. @returns {import('./runtime-api.mjs').Claim} */
function ownClaim() {
  const environment = /** @type {Record<string, string>} */ ({ ...process.env });
  return {
    environment,
    handler: environment['_HANDLER'] ?? '',
    taskRoot: environment['LAMBDA_TASK_ROOT'] ?? '/var/task',
  };
}

/** Warms every step that the first real invocation takes, then waits to be claimed. */
async function waitForClaim() {
  const settings = parseLogSettings(process.env);
  const version = ownVersion();
  const invoke = await makeInvoke(async (/** @type {unknown} */ event) => event, version, api);
  const crashes = { current: null, isEnding: false };
  await serveOne(invoke, { api, env: process.env, version, settings, crashes, streams: false });
  await rehearse();
  return await api.claim();
}

/**
 * @typedef {object} Running
 * @property {RuntimeApi} api
 * @property {NodeJS.ProcessEnv} env what contexts are made from
 * @property {number} version of the language
 * @property {import('./console.mjs').LogSettings} settings
 * @property {import('./crash.mjs').Crashes} crashes
 * @property {boolean} streams the handler has posted its answer by itself when it has succeeded
 * @property {ReturnType<typeof import('./several.mjs').keepApart>} [runIn] absent = one invocation at a time
 */

/**
 * Takes one invocation, runs it, answers it.
 * @param {import('./invoke.mjs').Invoke} invoke
 * @param {Running} running
 * @throws {Error} when the agent is gone
 */
async function serveOne(invoke, running) {
  const { headers, event } = await running.api.next();
  const requestId = headers['lambda-runtime-aws-request-id'] ?? '';
  const tenantId = headers['lambda-runtime-aws-tenant-id'];
  if (running.runIn !== undefined) {
    await running.runIn({ requestId, tenantId }, () => answerOne(invoke, running, { requestId, headers, event }));
    return;
  }
  scope.requestId = requestId;
  scope.tenantId = tenantId;
  running.crashes.current = requestId;
  await answerOne(invoke, running, { requestId, headers, event });
  running.crashes.current = null;
}

/** @typedef {{ requestId: string, headers: Record<string, string>, event: Buffer }} Invocation */

/** @param {import('./invoke.mjs').Invoke} invoke @param {Running} running @param {Invocation} invocation */
async function answerOne(invoke, running, invocation) {
  const { settings, crashes, streams } = running;
  const answer = await run(invoke, running, invocation);
  // The crash is the answer; the process ends as soon as it is posted.
  if (crashes.isEnding) return await new Promise(() => {});
  if (answer.kind === 'error') {
    logFailure(console, settings, 'Invoke Error', answer.thrown);
    await running.api.fail(invocation.requestId, formatError(answer.thrown));
  } else if (!streams) await running.api.respond(invocation.requestId, answer.json);
}

/**
 * @param {import('./invoke.mjs').Invoke} invoke
 * @param {Running} running
 * @param {Invocation} invocation
 * @returns {Promise<{ kind: 'response', json: string } | { kind: 'error', thrown: unknown }>}
 */
async function run(invoke, { env, version }, { headers, event }) {
  try {
    const context = makeContext(headers, env);
    return { kind: 'response', json: stringify(await invoke(JSON.parse(event.toString('utf8')), context), version) };
  } catch (thrown) {
    return { kind: 'error', thrown };
  }
}

/** Results that JSON has no word for (undefined, functions) are null. @param {unknown} result @param {number} version */
function stringify(result, version) {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch {
    const message = 'Unable to stringify response body';
    throw version < MODERN ? new Error(message) : new RuntimeError('JSONStringifyError', message);
  }
}

/** One whole write per line; to a pipe it is synchronous, so that no line is lost at an exit. @param {string} line */
function write(line) {
  process.stdout.write(line);
}
