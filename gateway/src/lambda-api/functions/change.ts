import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import type { ApiDeps, CallOfFunction } from '../call.ts';
import { functionNotFound, placeOf } from './find.ts';
import { whenSeen } from './state.ts';

type FunctionSpec = FunctionObject['spec'];

/**
 * Changes the spec of a call's function, and waits until this gateway has seen that.
 *
 * @param edit may be called several times; what it throws ends the change; the same spec back = nothing to write
 * @throws ResourceNotFound
 */
export async function changeSpec(
  call: CallOfFunction,
  deps: ApiDeps,
  edit: (spec: FunctionSpec, fn: FunctionObject) => FunctionSpec | Promise<FunctionSpec>,
): Promise<FunctionObject> {
  const changed = await deps.objects.change(functions, await placeOf(call, deps), async (fn) => {
    const spec = await edit(fn.spec, fn);
    return spec === fn.spec ? fn : { ...fn, spec };
  });
  if (changed === null) throw functionNotFound(call.fn);
  await whenSeen(changed, deps);
  return changed;
}

/** Something that is set for one version or alias of a function. */
export interface ByQualifier {
  readonly qualifier: string;
}

/** The entry of that qualifier. */
export function entryOf<Entry extends ByQualifier>(
  entries: readonly Entry[] | undefined,
  qualifier: string,
): Entry | undefined {
  return entries?.find((entry) => entry.qualifier === qualifier);
}

/** The entries with one in place of that of its qualifier, or behind all. */
export function withEntry<Entry extends ByQualifier>(entries: readonly Entry[] | undefined, entry: Entry): Entry[] {
  const { qualifier } = entry;
  if (entryOf(entries, qualifier) === undefined) return [...(entries ?? []), entry];
  return (entries ?? []).map((other) => (other.qualifier === qualifier ? entry : other));
}

/** The entries without that of a qualifier; undefined = none is left. */
export function withoutEntry<Entry extends ByQualifier>(
  entries: readonly Entry[] | undefined,
  qualifier: string,
): readonly Entry[] | undefined {
  const rest = (entries ?? []).filter((entry) => entry.qualifier !== qualifier);
  return rest.length === 0 ? undefined : rest;
}

/** `$LATEST` first, then versions by number, then aliases by name. */
export function byQualifier(a: string, b: string): number {
  const rank = (qualifier: string) => (qualifier === '$LATEST' ? 0 : /^[1-9]\d*$/.test(qualifier) ? 1 : 2);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) === 1) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
