import { createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

import { type AccessKey, type AccessKeys, principalOf } from '../auth/access-keys.ts';
import { serviceAccountIdentity } from '../auth/key-identity.ts';
import type { AssumedRole, Principal } from '../auth/principal.ts';
import type { Session, Sessions } from '../auth/session.ts';
import { unrecognized } from '../auth/sigv4-error.ts';
import { ServiceException } from '../errors.ts';
import { type Claims, parseClaims } from './claims.ts';
import { deriveKey, Seal } from './seal.ts';

/** Credentials as a caller is given them. */
export interface IssuedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds, whole seconds. */
  readonly expiresAtMs: number;
}

/** What {@link SessionKeys} works with. */
export interface SessionKeysDeps {
  /** The private key that all gateways of the install have; what seals sessions is derived from it. */
  readonly installKey: KeyObject;
  readonly keys: AccessKeys;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Sessions whose tokens have been opened. */
const MAX_OPENED = 5_000;
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * Session credentials without a store. The token holds, encrypted and sealed (AES-256-GCM), whose session it is and when it ends; the secret is
 * derived from the token. Both need keys that only gateways of this install have, so every gateway knows every session, after a restart and
 * while everything else is down; a new install key ends them all.
 */
export class SessionKeys implements Sessions {
  readonly #deps: SessionKeysDeps;
  readonly #seal: Seal;
  readonly #secretKey: Buffer;
  readonly #opened = new LRUCache<string, Session>({ max: MAX_OPENED });

  constructor(deps: SessionKeysDeps) {
    this.#deps = deps;
    this.#seal = new Seal(deriveKey(deps.installKey, 'kappa session tokens'));
    this.#secretKey = deriveKey(deps.installKey, 'kappa session secrets');
  }

  /** A session with the rights of an access key, for as long as that exists. @param seconds > 0 */
  issueFor(key: Pick<AccessKey, 'accessKeyId'>, seconds: number): IssuedCredentials {
    return this.#issue({ parent: key.accessKeyId }, seconds);
  }

  /** A session of a role, for as long as its ServiceAccount exists. @param seconds > 0 */
  issueForRole(accountId: string, role: AssumedRole, seconds: number): IssuedCredentials {
    return this.#issue({ role: { accountId, ...role } }, seconds);
  }

  find(token: string): Session | undefined {
    const known = this.#opened.get(token);
    if (known !== undefined) return known;
    const claims = parseClaims(this.#seal.open(token));
    if (claims === null) return undefined;
    const session = this.#sessionOf(token, claims);
    this.#opened.set(token, session);
    return session;
  }

  #issue(whose: Pick<Claims, 'parent' | 'role'>, seconds: number): IssuedCredentials {
    const accessKeyId = `ASIA${[...randomBytes(16)].map((byte) => base32[byte % base32.length]).join('')}`;
    const expiresAtSeconds = Math.floor(this.#deps.now() / 1000) + seconds;
    const sessionToken = this.#seal.close({ accessKeyId, expiresAtSeconds, ...whose });
    return {
      accessKeyId,
      secretAccessKey: this.#secretOf(sessionToken),
      sessionToken,
      expiresAtMs: expiresAtSeconds * 1000,
    };
  }

  /** 40 characters, as AWS's secrets have. */
  #secretOf(token: string): string {
    return createHmac('sha256', this.#secretKey).update(token).digest().subarray(0, 30).toString('base64');
  }

  #sessionOf(token: string, { accessKeyId, expiresAtSeconds, parent, role }: Claims): Session {
    const frame = { accessKeyId, secretAccessKey: this.#secretOf(token), expiresAtMs: expiresAtSeconds * 1000 };
    if (role !== undefined) {
      const principal = principalOfRole(accessKeyId, role);
      return { ...frame, principal: () => principal };
    }
    let last: { readonly key: AccessKey; readonly principal: Principal } | null = null;
    return {
      ...frame,
      principal: () => {
        const key = this.#keyOf(parent ?? '');
        if (last?.key !== key) last = { key, principal: { ...principalOf(key), accessKeyId, isSession: true } };
        return last.principal;
      },
    };
  }

  #keyOf(accessKeyId: string): AccessKey {
    const { keys } = this.#deps;
    const key = keys.find(accessKeyId);
    if (key !== undefined) return key;
    if (keys.isKnown()) throw unrecognized();
    throw new ServiceException('The access keys are not known yet. The request did not run.', { retryAfterSeconds: 1 });
  }
}

function principalOfRole(accessKeyId: string, { accountId, ...role }: NonNullable<Claims['role']>): Principal {
  const { namespace, objectName, uid } = role;
  return {
    accessKeyId,
    accounts: [accountId],
    identity: { ...serviceAccountIdentity(namespace, objectName), boundTo: { namespace, name: objectName, uid } },
    role,
    isSession: true,
  };
}
