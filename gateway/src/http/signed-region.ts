import type { IncomingMessage } from 'node:http';

import { regionPattern } from '@kappa/crds/accounts';
import { LRUCache } from 'lru-cache';

/**
 * The region in the credential scope of a request, in the header or presigned in the query; null = it names none. Nothing is believed of it: only
 * for an install that asks nobody who he is.
 */
export function signedRegion({ headers, url }: Pick<IncomingMessage, 'headers' | 'url'>): string | null {
  const { authorization } = headers;
  const region = authorization === undefined ? inQuery.exec(url ?? '')?.[1] : inHeader.exec(authorization)?.[1];
  return region !== undefined && regionPattern.test(region) ? region : null;
}

const inHeader = /Credential=[^/\s,]{1,200}\/\d{8}\/([a-z0-9-]{1,40})\//;
const inQuery = /[?&]X-Amz-Credential=[^&%]{1,200}(?:%2F|\/)\d{8}(?:%2F|\/)([a-z0-9-]{1,40})(?:%2F|\/)/i;

/** Regions whose doors are kept; one more, and that of the one that nobody used for longest is made anew when it is called. */
const MAX_REGIONS = 40;

/**
 * Something for each region that callers name, made at the first call; what names none is of the install's own.
 *
 * @param own the install's own region
 */
export function inEachRegion<T extends object>(
  own: string,
  make: (region: string) => T,
): (req: Pick<IncomingMessage, 'headers' | 'url'>) => T {
  const home = make(own);
  const made = new LRUCache<string, T>({ max: MAX_REGIONS });
  return (req) => {
    const region = signedRegion(req);
    if (region === null || region === own) return home;
    const known = made.get(region);
    if (known !== undefined) return known;
    const fresh = make(region);
    made.set(region, fresh);
    return fresh;
  };
}
