import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key for one purpose, derived from the private key that all gateways of the install have. */
export function deriveKey(installKey: KeyObject, purpose: string): Buffer {
  return createHmac('sha256', installKey.export({ format: 'der', type: 'pkcs8' }))
    .update(purpose)
    .digest();
}

/** Text that only the holders of a key can make and read: AES-256-GCM, in base64url. */
export class Seal {
  readonly #key: Buffer;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = key;
  }

  close(content: unknown): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const sealed = [cipher.update(JSON.stringify(content)), cipher.final()];
    return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined = sealed with another key, changed, or no sealed text at all. */
  open(text: string): unknown {
    const bytes = Buffer.from(text, 'base64url');
    // Other spellings of the same bytes would be other keys of a cache.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const content = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
      return JSON.parse(Buffer.concat(content).toString());
    } catch {
      return undefined;
    }
  }
}
