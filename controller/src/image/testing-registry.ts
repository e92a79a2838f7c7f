import { hash } from 'node:crypto';
import type { RegistryGet, RegistryResponse } from './registry-http.ts';

/** A question that the registry was asked. */
export interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

/** A registry in memory, as far as the specification says what a pull asks for. */
export class FakeRegistry {
  /** In their order. */
  readonly asked: Asked[] = [];
  /** What is answered instead, by address; taken before anything else. */
  readonly answers = new Map<string, Partial<RegistryResponse>>();
  /** Answers without this authorization get `challenge`; null = everybody is let in. */
  wanted: string | null = null;
  challenge = '';
  readonly #documents = new Map<string, { readonly body: Buffer; readonly type: string }>();

  /** Puts a document below `manifests` or `blobs`; answers its digest. @param names further names of it, e.g. a tag */
  put(
    kind: 'manifests' | 'blobs',
    content: object,
    type = 'application/vnd.oci.image.manifest.v1+json',
    ...names: string[]
  ): string {
    const body = Buffer.from(JSON.stringify(content));
    const digest = `sha256:${hash('sha256', body, 'hex')}`;
    for (const name of [digest, ...names]) this.#documents.set(`${kind}/${name}`, { body, type });
    return digest;
  }

  /** Puts an image that starts `config`'s Entrypoint and Cmd; answers the digest of its manifest. */
  image(config: object, ...tags: string[]): string {
    const digest = this.put('blobs', { architecture: 'amd64', os: 'linux', config }, 'application/octet-stream');
    return this.put('manifests', { schemaVersion: 2, config: { digest, size: 1 }, layers: [] }, undefined, ...tags);
  }

  /** The bytes of a document by its path. */
  bytesOf(path: string): Buffer {
    const found = this.#documents.get(path);
    if (found === undefined) throw new Error(`the registry has no ${path}`);
    return found.body;
  }

  readonly get: RegistryGet = (url, { authorization = null }) => {
    this.asked.push({ url: url.href, authorization: authorization ?? null });
    const told = this.answers.get(url.href);
    if (told !== undefined)
      return Promise.resolve(answer(told.status ?? 200, told.body ?? Buffer.alloc(0), told.headers));
    if (this.wanted !== null && authorization !== this.wanted)
      return Promise.resolve(answer(401, Buffer.alloc(0), { 'www-authenticate': this.challenge }));
    const path = /^\/v2\/shop\/cart\/(.*)$/.exec(url.pathname)?.[1] ?? '';
    const found = this.#documents.get(path);
    if (found === undefined) return Promise.resolve(answer(404, Buffer.from('{"errors":[]}')));
    return Promise.resolve(answer(200, found.body, { 'content-type': found.type }));
  };
}

function answer(status: number, body: Buffer, headers: Readonly<Record<string, string>> = {}): RegistryResponse {
  return { status, headers, body };
}
