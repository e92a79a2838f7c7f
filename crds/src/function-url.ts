import { createHash } from 'node:crypto';

/** Whose URL it is. */
export interface FunctionUrlOwner {
  readonly namespace: string;
  /** metadata.name of the Function. */
  readonly name: string;
  /** The alias's own name, as callers say it; null = the function without a qualifier. */
  readonly alias: string | null;
}

/**
 * The ID of a function URL, first part of its host name `ID.lambda-url.REGION.DOMAIN`: 160 bits of the SHA-256 of its owner's names in base32,
 * 32 characters. The same on every gateway, after every restart, and for a function that is deleted and made again; no two owners
 * have the same (none of the names may hold a line feed).
 */
export function functionUrlId({ namespace, name, alias }: FunctionUrlOwner): string {
  const digest = createHash('sha256')
    .update(`${namespace}\n${name}\n${alias ?? ''}`)
    .digest();
  let id = '';
  for (let group = 0; group < ID_BYTES; group += 5) {
    const bits = digest.readUIntBE(group, 5);
    for (let shift = 35; shift >= 0; shift -= 5) id += alphabet[Math.floor(bits / 2 ** shift) % 32];
  }
  return id;
}

const ID_BYTES = 20;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The address of a function URL, that works wherever the gateway can be reached: `PUBLIC_URL/fn/NAMESPACE/NAME[:ALIAS]/`.
 *
 * @param publicUrl the gateway as callers see it, no slash at the end
 */
export function functionUrlAddress(publicUrl: string, { namespace, name, alias }: FunctionUrlOwner): string {
  return `${publicUrl}/fn/${namespace}/${name}${alias === null ? '' : `:${alias}`}/`;
}
