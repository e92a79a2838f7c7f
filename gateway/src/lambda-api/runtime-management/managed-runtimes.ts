import type { UpdateRuntimeOn } from '@aws-sdk/client-lambda';

/** How the runtime of one version is to be updated, in Lambda's words. */
export interface ManagedRuntime {
  readonly UpdateRuntimeOn: UpdateRuntimeOn;
  readonly RuntimeVersionArn?: string;
}

/** By version; what is not there is Auto. */
export type ManagedRuntimes = ReadonlyMap<string, ManagedRuntime>;

/** Reads what is kept as JSON text. kubectl may have written anything: what is not understood is not there. */
export function parseManaged(json: string | undefined): ManagedRuntimes {
  const kept = new Map<string, ManagedRuntime>();
  for (const [version, entry] of entriesOf(json)) {
    const { UpdateRuntimeOn: updateOn, RuntimeVersionArn: arn } = Object(entry);
    if (!isUpdateRuntimeOn(updateOn)) continue;
    kept.set(version, { UpdateRuntimeOn: updateOn, ...(typeof arn === 'string' && { RuntimeVersionArn: arn }) });
  }
  return kept;
}

function entriesOf(json: string | undefined): readonly (readonly [string, unknown])[] {
  try {
    return Object.entries(Object(JSON.parse(json ?? '{}')));
  } catch {
    return [];
  }
}

function isUpdateRuntimeOn(value: unknown): value is UpdateRuntimeOn {
  return value === 'Auto' || value === 'Manual' || value === 'FunctionUpdate';
}
