import { functionKeyOf } from './ownership.ts';
import type { roleOfHead } from './role-tokens.ts';
import type { Target } from './types.ts';

/** JSON text of the SPECIALIZE head. @see docs/internals.md, "Link: the exchanges" */
export function makeSpecialize(
  target: Target,
  environment: Readonly<Record<string, string>>,
  rules: {
    readonly initTimeoutMs: number;
    readonly maxUnpackedBytes: number;
    readonly epoch: number;
    readonly isProvisioning: boolean;
    /** Invocations at once. */
    readonly perInstance: number;
  },
  role?: ReturnType<typeof roleOfHead>,
): string {
  return JSON.stringify({
    versionUid: target.versionUid,
    functionName: target.functionName,
    functionNamespace: target.namespace,
    function: functionKeyOf(target), // as FENCE names it
    version: target.version,
    handler: target.handler,
    runtime: target.runtime,
    memoryMiB: target.memoryMiB,
    timeoutMs: target.timeoutMs,
    initTimeoutMs: rules.initTimeoutMs,
    perInstance: rules.perInstance,
    environment,
    accountId: target.accountId,
    region: target.region,
    logFormat: target.logFormat,
    applicationLogLevel: target.applicationLogLevel,
    systemLogLevel: target.systemLogLevel,
    ...(target.image === undefined
      ? { codeSha256: target.codeSha256, codeBytes: target.codeBytes, maxUnpackedBytes: rules.maxUnpackedBytes }
      : { image: target.image }),
    epoch: rules.epoch,
    // SPECIALIZED then comes after init, from an agent that knows it; others answer at once
    ...(rules.isProvisioning && { initializationType: 'provisioned-concurrency' }),
    role,
    ...(target.idle === 'Running' && { idle: target.idle }),
    ...(target.layers.length > 0 && { layers: target.layers.map(({ sha256, bytes }) => ({ sha256, bytes })) }),
  });
}
