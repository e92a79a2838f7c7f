import { environmentMaxBytes } from '@kappa/crds/limits';

import type { Target } from '../dispatch/types.ts';
import { LambdaError } from '../errors.ts';
import { KnownSources, type KnownSourcesDeps, type SourceRef } from './known-sources.ts';
import type { VersionView } from './views.ts';

/** What {@link environmentSource} works with. */
export interface EnvironmentDeps extends KnownSourcesDeps {
  /** What the platform adds for a namespace; the function's own variables go before it, and it takes none of their room. Absent = nothing. */
  readonly added?: (namespace: string) => Readonly<Record<string, string>>;
}

/**
 * Makes the function that gives a version's variables. References go to the function's own namespace only.
 *
 * A value that is known is used at once and, when it is older than 10 s, read again in the background: an API server that is away
 * or silent delays no call, and a changed Secret reaches the pods that are claimed after the next one. Only what is not known, or
 * was missing, is waited for, at most 2 s.
 */
export function environmentSource(
  deps: EnvironmentDeps,
): (namespace: string, version: VersionView) => Target['environment'] {
  const sources = new KnownSources(deps);
  return (namespace, version) => async () => {
    const entries = await Promise.all(
      version.environment.map(async (entry) => [entry.name, await textOf(entry, namespace, sources)] as const),
    );
    const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
    if (bytes > environmentMaxBytes) throw unresolved(`the environment variables are ${bytes} bytes, more than 4KB`);
    return { ...deps.added?.(namespace), ...Object.fromEntries(entries) };
  };
}

type Entry = VersionView['environment'][number];

async function textOf(entry: Entry, namespace: string, sources: KnownSources): Promise<string> {
  const { secretKeyRef, configMapKeyRef } = entry.valueFrom ?? {};
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) return entry.value ?? '';
  const kind = secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
  const place: SourceRef = { kind, namespace, name: ref.name };
  const source = await sources.get(place, ref.key).catch((cause: unknown) => {
    throw unreadable(place, cause);
  });
  if (source === null) throw unresolved(`${kind} ${ref.name} of variable ${entry.name} does not exist`);
  if (!Object.hasOwn(source, ref.key))
    throw unresolved(`${kind} ${ref.name} of variable ${entry.name} has no key ${ref.key}`);
  return source[ref.key] ?? '';
}

/** The owner of the function has to act. Names only: values never stand in errors. */
function unresolved(problem: string): LambdaError {
  return new LambdaError(
    'InvalidParameterValueException',
    `Lambda was unable to configure the environment variables: ${problem}`,
    {
      status: 502,
      fault: 'function',
    },
  );
}

/** Nobody but the platform can help; the request has not run. */
function unreadable(ref: SourceRef, cause: unknown): LambdaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LambdaError(
    'ServiceException',
    `cannot read ${ref.kind} ${ref.name} for the function's environment (${why}). The request did not run.`,
    { status: 500, fault: 'platform', retryAfterSeconds: 1, cause },
  );
}
