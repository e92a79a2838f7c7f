import type { CryptoKey, createLocalJWKSet, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import { LRUCache } from 'lru-cache';

import { isRecord } from '../function-url/answer.ts';
import type { FetchJson } from './fetch-json.ts';

/** What {@link KeySets} is made with. */
export interface KeySetsDeps {
  readonly fetchJson: FetchJson;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** The keys of an issuer cannot be had. */
export class KeysUnavailable extends Error {
  constructor(issuer: string, cause: unknown) {
    super(`the keys of issuer ${issuer} cannot be fetched: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'KeysUnavailable';
  }
}

/** The issuer has no key of that name. */
export class NoSuchKey extends Error {}

/** Namespaces whose issuers' keys are kept at the same time, those that were asked for last. */
const MAX_NAMESPACES = 1000;
/** Issuers of one namespace whose keys are kept at the same time, those that were asked for last. */
const MAX_ISSUERS = 16;
/** Keys that are older are fetched again, behind the answer that still uses them. */
const FRESH_MS = 10 * 60_000;
/** Keys that are older are not used any more, even when the issuer is away. */
const STALE_MS = 2 * 3_600_000;
/** An issuer is asked at most so often, whatever tokens come. */
const PAUSE_MS = 2000;

/**
 * The public keys of OpenID Connect issuers, found by `ISSUER/.well-known/openid-configuration`. They are kept for each namespace, so that one
 * with many issuers costs nobody else's keys:
 * - a token names a key that is not known: the issuer has rotated its keys, and is asked again, at most once per `PAUSE_MS`;
 * - keys older than `FRESH_MS` are fetched anew in the background, those older than `STALE_MS` are not used;
 * - an issuer that is away costs nothing until then; afterwards, or when it never answered, its tokens cannot be checked. Fails closed.
 */
export class KeySets {
  readonly #deps: KeySetsDeps;
  readonly #namespaces = new LRUCache<string, LRUCache<string, Issuer>>({ max: MAX_NAMESPACES });

  constructor(deps: KeySetsDeps) {
    this.#deps = deps;
  }

  /**
   * The key that a token was signed with.
   *
   * @param namespace whose route asks for it
   * @throws KeysUnavailable, NoSuchKey
   */
  async keyFor(
    { namespace, issuer }: { readonly namespace: string; readonly issuer: string },
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
  ): Promise<CryptoKey> {
    const issuers = this.#namespaces.get(namespace) ?? new LRUCache({ max: MAX_ISSUERS });
    this.#namespaces.set(namespace, issuers);
    const known = issuers.get(issuer) ?? new Issuer(issuer, this.#deps);
    issuers.set(issuer, known);
    return known.keyFor(header, token);
  }
}

class Issuer {
  readonly #issuer: string;
  readonly #deps: KeySetsDeps;
  #keys: LocalKeys | null = null;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;
  #lastProblem: unknown = null;

  constructor(issuer: string, deps: KeySetsDeps) {
    this.#issuer = issuer;
    this.#deps = deps;
  }

  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const { errors } = await import('./jose.ts');
    const keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (err) {
      if (!(err instanceof errors.JWKSNoMatchingKey)) throw err;
    }
    const newer = await this.#newer(keys);
    return newer(header, token).catch((err: unknown) => {
      throw err instanceof errors.JWKSNoMatchingKey ? new NoSuchKey() : err;
    });
  }

  async #current(): Promise<LocalKeys> {
    const ageMs = this.#deps.nowMs() - this.#fetchedAtMs;
    if (this.#keys !== null && ageMs < FRESH_MS) return this.#keys;
    const asked = this.#ask();
    if (this.#keys !== null && ageMs < STALE_MS) return this.#keys;
    await asked;
    if (this.#keys === null || this.#deps.nowMs() - this.#fetchedAtMs >= STALE_MS)
      throw new KeysUnavailable(this.#issuer, this.#lastProblem);
    return this.#keys;
  }

  /** Keys after those that do not have what is looked for; the same when it is too early to ask, or the issuer is away. */
  async #newer(before: LocalKeys): Promise<LocalKeys> {
    if (this.#keys === before) await this.#ask();
    return this.#keys ?? before;
  }

  /** Never rejects. One question at a time, whoever waits for its answer. */
  #ask(): Promise<void> {
    if (this.#asking !== null) return this.#asking;
    const nowMs = this.#deps.nowMs();
    if (nowMs - this.#askedAtMs < PAUSE_MS) return Promise.resolve();
    this.#askedAtMs = nowMs;
    this.#asking = this.#fetch().then(
      (keys) => {
        this.#keys = keys;
        this.#fetchedAtMs = this.#deps.nowMs();
      },
      (err: unknown) => {
        this.#lastProblem = err;
      },
    );
    void this.#asking.then(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #fetch(): Promise<LocalKeys> {
    const { createLocalJWKSet } = await import('./jose.ts');
    const base = this.#issuer.endsWith('/') ? this.#issuer.slice(0, -1) : this.#issuer;
    const found = await this.#deps.fetchJson(`${base}/.well-known/openid-configuration`);
    const { issuer, jwks_uri: keysUrl } = isRecord(found) ? found : {};
    if (issuer !== this.#issuer) throw new Error('its openid-configuration is that of another issuer');
    if (typeof keysUrl !== 'string') throw new Error('its openid-configuration has no jwks_uri');
    const keys = await this.#deps.fetchJson(keysUrl);
    // jose checks the rest, and throws for what is no key set
    return createLocalJWKSet(parseKeySet(keys));
  }
}

/** @throws Error when it is none */
function parseKeySet(value: unknown): JSONWebKeySet {
  if (!isRecord(value) || !Array.isArray(value['keys'])) throw new Error('its jwks_uri leads to no key set');
  return value as unknown as JSONWebKeySet; // each key is checked when it is used
}
