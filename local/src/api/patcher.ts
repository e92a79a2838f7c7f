import type { Applier, Patched } from './applier.ts';
import type { Caller } from './caller.ts';
import { isRecord, type JsonObject } from './json.ts';
import { decodeJson, patchTypes, unsupportedMediaType } from './negotiation.ts';
import { copy, parseObject } from './object.ts';
import { jsonPatch, mergePatch, PatchError, strategicMergePatch } from './schema/patches.ts';
import { ApiError, badRequest } from './status.ts';
import { checkIdentity, type Target } from './target.ts';
import type { Writer } from './writer.ts';

/** Applies all four kinds of patches; server-side apply has its own file. */
export class Patcher {
  readonly #writer: Writer;
  readonly #applier: Applier;

  constructor(writer: Writer, applier: Applier) {
    this.#writer = writer;
    this.#applier = applier;
  }

  /** @param mediaType one of `patchTypes`. @throws ApiError 404, 409, 415, 422 */
  patch(target: Target, caller: Caller, mediaType: string, body: Buffer, query: URLSearchParams): Patched {
    if (mediaType === patchTypes.apply)
      return this.#applier.apply(target, caller, body, (query.get('fieldManager') ?? '') !== '');
    const live = this.#writer.resolve(target);
    const shown = copy(target.type.fromStorage(live));
    const patched = applyPatch(target, mediaType, shown, body);
    const wanted = parseObject(patched);
    checkIdentity(target, wanted);
    return { object: this.#writer.commit(target, caller, live, wanted, { kind: 'patch' }), isNew: false };
  }
}

function applyPatch(target: Target, mediaType: string, shown: JsonObject, body: Buffer): JsonObject {
  try {
    if (mediaType === patchTypes.json) return jsonPatch(shown, decodeJson(body));
    if (mediaType === patchTypes.merge) return mergePatch(shown, objectOf(decodeJson(body)));
    if (mediaType === patchTypes.strategic && target.type.custom === null) {
      return strategicMergePatch(target.type.schema, shown, objectOf(decodeJson(body)));
    }
  } catch (error) {
    if (error instanceof PatchError)
      throw new ApiError(error.code, error.code === 422 ? 'Invalid' : 'BadRequest', error.message);
    throw error;
  }
  throw unsupportedMediaType(acceptedPatches(target));
}

/** Media types that a PATCH of the target may have. */
export function acceptedPatches({ type }: Target): string[] {
  const { json, merge, strategic, apply } = patchTypes;
  return type.custom === null ? [json, merge, strategic, apply] : [json, merge, apply];
}

function objectOf(value: unknown): JsonObject {
  if (!isRecord(value)) throw badRequest('the patch is not an object');
  return value;
}
