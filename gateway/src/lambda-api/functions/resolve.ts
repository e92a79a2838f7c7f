import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';

import { LATEST } from '../../registry/routing.ts';
import { findAlias } from '../aliases/find.ts';
import type { ApiDeps, CallOfFunction } from '../call.ts';
import { findVersion } from '../versions/find.ts';
import { functionNotFound, requireFunction } from './find.ts';

/** What a name with its qualifier means. */
export interface Meant {
  readonly fn: FunctionObject;
  /** null = `$LATEST`. */
  readonly version: FunctionVersionObject | null;
  /** The alias that it was named by; null = by none. */
  readonly aliasName: string | null;
}

/** @throws ResourceNotFound when there is no such function, version or alias */
export async function requireMeant(call: CallOfFunction, deps: ApiDeps): Promise<Meant> {
  const fn = await requireFunction(call, deps);
  const { qualifier } = call.fn;
  if (qualifier === null || qualifier === LATEST) return { fn, version: null, aliasName: null };
  if (isNumber(qualifier)) return { fn, version: await requireVersion(qualifier), aliasName: null };
  const alias = await findAlias(fn, qualifier, deps);
  if (alias === null) throw functionNotFound(call.fn);
  const { functionVersion } = alias.spec;
  const version = functionVersion === LATEST ? null : await requireVersion(functionVersion);
  return { fn, version, aliasName: qualifier };

  async function requireVersion(number: string): Promise<FunctionVersionObject> {
    const found = await findVersion(fn, number, deps);
    if (found === null) throw functionNotFound(call.fn);
    return found;
  }
}

/** Whether a qualifier is a version's number and no alias. */
export function isNumber(qualifier: string): boolean {
  return /^[1-9]\d*$/.test(qualifier);
}
