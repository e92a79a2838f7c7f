import { functionKeyOf } from './ownership.ts';
import type { Target } from './types.ts';

/** Largest code that an agent unpacks. @see AWS Lambda quotas, deployment package unzipped: 250 MB */
const MAX_UNPACKED_BYTES = 262_144_000;

/** JSON text of the SPECIALIZE head. @see docs/internals.md, "Link: the exchanges" */
export function makeSpecialize(
  target: Target,
  environment: Readonly<Record<string, string>>,
  rules: { readonly initTimeoutMs: number; readonly epoch: number },
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
    perInstance: target.perInstance,
    environment,
    accountId: target.accountId,
    region: target.region,
    logFormat: target.logFormat,
    codeSha256: target.codeSha256,
    codeBytes: target.codeBytes,
    maxUnpackedBytes: MAX_UNPACKED_BYTES,
    epoch: rules.epoch,
  });
}
