import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Links to blobs that need no other credentials for a while. */
export interface CodeLinks {
  /** A link below `origin`. */
  readonly make: (origin: string, sha256: string) => string;
  /** Whether this gateway, or another one of the install, made the link and it still holds. */
  readonly holds: (sha256: string, expires: string, signature: string) => boolean;
}

/** A link holds for so long, seconds; as Lambda's do. */
const LIFE_SECONDS = 600;
/** Where links lead. */
export const codePath = '/code/sha256';

/**
 * @param key the private key that all gateways of the install have; the links' own key is derived from it
 * @param now epoch milliseconds
 */
export function codeLinks(key: KeyObject, now: () => number): CodeLinks {
  const secret = createHmac('sha256', key.export({ format: 'der', type: 'pkcs8' }))
    .update('kappa code links')
    .digest();
  const sign = (sha256: string, expires: string): Buffer =>
    createHmac('sha256', secret).update(`${sha256} ${expires}`).digest();
  return {
    make: (origin, sha256) => {
      const expires = String(Math.floor(now() / 1000) + LIFE_SECONDS);
      const signature = sign(sha256, expires).toString('hex');
      return `${origin}${codePath}/${sha256}?expires=${expires}&signature=${signature}`;
    },
    holds: (sha256, expires, signature) => {
      if (!/^[0-9a-f]{64}$/.test(signature) || !/^\d{1,12}$/.test(expires)) return false;
      const isOurs = timingSafeEqual(sign(sha256, expires), Buffer.from(signature, 'hex'));
      return isOurs && Number(expires) * 1000 > now();
    },
  };
}
