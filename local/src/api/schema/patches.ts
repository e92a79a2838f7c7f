import { applyPatch, type Operation } from 'rfc6902';
import { clone, isObject, type JsonObject, setOwn } from './json.ts';
import { PatchError } from './patch-error.ts';

export { PatchError } from './patch-error.ts';
export { strategicMergePatch } from './strategic-merge.ts';

/** More operations than this are refused, as the API server does (`JSONPatchMaxCopyBytes` and 10,000 operations). */
const maxOperations = 10_000;

/**
 * Applies a JSON patch (RFC 6902) to a copy; all operations or none.
 *
 * @throws PatchError 400 when the patch is not a list of operations, 422 when an operation fails
 */
export function jsonPatch(original: JsonObject, patch: unknown): JsonObject {
  const operations = parseOperations(patch);
  const root = { document: clone(original) };
  for (const operation of operations) applyOne(root, operation);
  if (!isObject(root.document)) throw new PatchError(422, 'the patch leaves no object');
  return root.document;
}

/**
 * Applies a JSON merge patch (RFC 7386) to a copy: null removes, objects merge, everything else replaces.
 *
 * @throws PatchError 400 when the patch is not an object
 */
export function mergePatch(original: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) throw new PatchError(400, 'a merge patch must be an object');
  return mergeInto(clone(original), patch);
}

function mergeInto(target: JsonObject, patch: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else if (isObject(value)) {
      const current = Object.hasOwn(target, key) ? target[key] : undefined;
      setOwn(target, key, mergeInto(isObject(current) ? current : {}, value));
    } else setOwn(target, key, clone(value));
  }
  return target;
}

/** The document hangs below a root, so that operations on the whole document work as well. */
function applyOne(root: { document: unknown }, operation: Operation): void {
  const shifted = { ...operation, path: `/document${operation.path}` };
  if ('from' in shifted) shifted.from = `/document${shifted.from}`;
  let failure: Error | null | undefined;
  try {
    [failure] = applyPatch(root, [shifted]);
  } catch (cause) {
    throw new PatchError(422, 'the server rejected our request due to an error in our request', { cause });
  }
  if (failure)
    throw new PatchError(422, `${operation.op} operation does not apply: ${operation.path}`, { cause: failure });
}

function parseOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw new PatchError(400, 'a JSON patch must be a list of operations');
  if (patch.length > maxOperations) throw new PatchError(422, `a JSON patch has at most ${maxOperations} operations`);
  return patch.map(parseOperation);
}

const kinds = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function parseOperation(source: unknown): Operation {
  if (!isObject(source) || typeof source['op'] !== 'string' || !kinds.has(source['op'])) {
    throw new PatchError(400, 'unexpected kind of operation in JSON patch');
  }
  const { op, path, from, value } = source;
  if (!isPointer(path)) throw new PatchError(422, `${op} operation has no valid path`);
  if (op === 'remove') return { op, path };
  if (op === 'move' || op === 'copy') {
    if (!isPointer(from)) throw new PatchError(422, `${op} operation has no valid from`);
    return { op, path, from };
  }
  if (!Object.hasOwn(source, 'value')) throw new PatchError(422, `${op} operation has no value`);
  if (op === 'test') return { op, path, value };
  return { op: op === 'add' ? 'add' : 'replace', path, value };
}

/** `__proto__` is refused: the patch library would reach the prototype, not a field. */
function isPointer(path: unknown): path is string {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) return false;
  return !path.split('/').includes('__proto__');
}
