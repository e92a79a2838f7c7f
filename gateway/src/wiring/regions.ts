import type { IncomingMessage } from 'node:http';

import { defaultAccountId } from '@kappa/crds/accounts';

import { inEachRegion } from '../http/signed-region.ts';
import type { InvokeDeps } from '../lambda-api/invoke.ts';
import { functionResolver } from '../lambda-api/resolve.ts';
import type { Directory } from '../registry/directory.ts';
import type { Functions } from '../registry/functions.ts';
import type { Context } from './context.ts';
import type { WatchedFunctions } from './watch-functions.ts';

/** What the doors of one region work with. */
export interface Region {
  readonly region: string;
  readonly functions: Functions & Directory;
  readonly arnOf: (accountId: string, name: string) => string;
  /** The version that a call means. */
  readonly resolve: InvokeDeps['resolve'];
}

/**
 * Doors by the region that a caller's signature names. Where callers are asked who they are, a signature holds for the install's own region only, so
 * there is one; where nobody is asked, as on a desk, each region that is named has its own objects.
 */
export function doorsByRegion<T extends object>(
  context: Context,
  watched: Pick<WatchedFunctions, 'functions' | 'functionsIn'>,
  make: (region: Region) => T,
): (req: Pick<IncomingMessage, 'headers' | 'url'>) => T {
  const { region: own, auth } = context.config;
  const makeIn = (region: string): T => {
    const functions = region === own ? watched.functions : watched.functionsIn(region);
    const arnOf = (accountId: string, name: string): string => context.arnOf(accountId, name, region);
    const resolve = functionResolver({ functions, region, defaultAccountId, arnOf, random: Math.random });
    return make({ region, functions, arnOf, resolve });
  };
  if (auth === 'none') return inEachRegion(own, makeIn);
  const only = makeIn(own);
  return () => only;
}
