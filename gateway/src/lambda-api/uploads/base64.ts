import { serializationError } from '../errors.ts';

/**
 * Decodes base64 as it comes, piece by piece. As strict as the model's other blobs: the standard alphabet only, nothing behind the padding;
 * padding may be missing at the end.
 */
export class Base64Decoder {
  /** Up to three characters that wait for the rest of their group. */
  #rest = '';
  #isPadded = false;

  /** @throws LambdaError SerializationException */
  decode(text: string): Buffer {
    const whole = this.#rest + text;
    const groups = whole.length - (whole.length % 4);
    this.#rest = whole.slice(groups);
    return this.#bytesOf(whole.slice(0, groups));
  }

  /** What is left once there is no more text. @throws LambdaError SerializationException */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = '';
    if (rest.length === 1) throw notBase64();
    return this.#bytesOf(rest);
  }

  /** Node's decoder passes over what is not base64: then fewer bytes come out than the text's length says. */
  #bytesOf(text: string): Buffer {
    if (text === '') return nothing;
    if (this.#isPadded) throw notBase64();
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    this.#isPadded = padding > 0;
    const bytes = Buffer.from(text, 'base64');
    const isWhole = bytes.length === Math.floor(((text.length - padding) * 3) / 4);
    if (!isWhole || text.includes('-') || text.includes('_')) throw notBase64();
    return bytes;
  }
}

const nothing = Buffer.alloc(0);

/** In the words of every blob. */
export function notBase64(): Error {
  return serializationError('The blob is not valid base64.');
}
