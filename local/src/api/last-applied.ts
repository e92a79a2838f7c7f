import { isRecord, isSameJson, type JsonObject, text } from './json.ts';
import type { KubeObject } from './object.ts';
import type { ApplyConflict } from './schema/apply-patch.ts';

/** Field manager of `kubectl apply --server-side`: it takes over what client-side apply wrote. */
export const kubectlManager = 'kubectl';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** True when all conflicting fields are as kubectl's client-side apply last wrote them: then they are kubectl's own. */
export function areClientSide(conflicts: readonly ApplyConflict[], live: KubeObject | null): boolean {
  const lastApplied = parseLastApplied(live);
  if (lastApplied === null) return false;
  return conflicts.every(({ field }) => {
    const before = valueAtField(lastApplied, field);
    return before !== undefined && isSameJson(before, valueAtField(live, field));
  });
}

/** Keeps the annotation of client-side apply up to date, where there is one, so that a later client-side apply starts from the truth. */
export function renewLastApplied(object: KubeObject, live: KubeObject | null, applied: KubeObject): void {
  const { annotations } = object.metadata;
  if (annotations === undefined || live?.metadata.annotations?.[annotation] === undefined) return;
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, ...metadata } = applied.metadata;
  annotations[annotation] = `${JSON.stringify({ ...applied, metadata })}\n`;
}

function parseLastApplied(live: KubeObject | null): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text(live?.metadata.annotations?.[annotation]));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** The value at a path such as `.spec.environment[name="A"].value`, undefined when it is not there. */
export function valueAtField(object: unknown, field: string): unknown {
  let current = object;
  for (const [, name, selector] of field.matchAll(/\.([^.[\]]+)|\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]/g)) {
    current = name === undefined ? itemOf(current, selector ?? '') : isRecord(current) ? current[name] : undefined;
  }
  return current;
}

/** `name="A",port=80` picks by keys, `="x"` by value, `3` by position. */
function itemOf(list: unknown, selector: string): unknown {
  if (!Array.isArray(list)) return undefined;
  if (/^\d+$/.test(selector)) return list[Number(selector)];
  const terms = [...selector.matchAll(/([^=,"]*)=("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  const wanted = terms.map(([, key = '', value = '']) => ({ key, value: parseValue(value) }));
  return list.find((item) =>
    wanted.every(({ key, value }) => isSameJson(key === '' ? item : isRecord(item) ? item[key] : undefined, value)),
  );
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
