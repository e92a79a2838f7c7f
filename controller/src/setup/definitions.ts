import type { Kind } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { findCondition } from '@kappa/crds/conditions';
import type { ObjectMeta } from '@kappa/crds/object-meta';
import { ParseError } from '@kappa/crds/parse-error';
import { isJsonObject, type JsonObject, parseMeta } from '@kappa/crds/parse-meta';
import { parse as parseYaml } from 'yaml';
import type { Waiting } from './waiting.ts';

/** A CustomResourceDefinition as the setup handles it: the spec is passed on as it lies in the file. */
export interface Definition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: ObjectMeta;
  readonly spec: JsonObject;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Where the API server has them. */
export const definitions: Kind<Definition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  isNamespaced: false,
  parse: parseDefinition,
};

/** The manifests that make an install, by file name without ending: the setup's rights name exactly these. */
export const definitionNames = [
  'aliases',
  'eventsourcemappings',
  'functions',
  'functionversions',
  'layers',
  'pools',
] as const;

/** Field manager of what the setup applies. */
const manager = 'kappa-setup';

/**
 * Applies the definitions of Kappa's objects and waits until the API server serves each. Repeatable; never deletes one, and
 * with it the users' objects.
 *
 * @param manifests YAML, one definition each
 * @throws KubernetesError, or Error when one is not served in time
 */
export async function applyDefinitions(
  kubernetes: Pick<Kubernetes, 'get' | 'apply'>,
  manifests: readonly string[],
  waiting: Waiting,
): Promise<readonly string[]> {
  const wanted = manifests.map((text) => parseDefinition(parseYaml(text)));
  for (const { metadata, spec } of wanted) {
    const { name, labels, annotations } = metadata;
    await kubernetes.apply(definitions, { metadata: { name, labels, annotations }, spec }, manager);
  }
  const names = wanted.map(({ metadata }) => metadata.name);
  for (const name of names) {
    await waiting.until(`${name} is served`, async () => isServed(await kubernetes.get(definitions, null, name)));
  }
  return names;
}

function isServed({ status }: Definition): boolean {
  return findCondition(status?.conditions, 'Established')?.status === 'True';
}

function parseDefinition(value: unknown): Definition {
  const kind = 'CustomResourceDefinition';
  if (!isJsonObject(value) || !isJsonObject(value['spec'])) {
    throw new ParseError(kind, [{ path: 'spec', message: 'must be object' }]);
  }
  const metadata = parseMeta(kind, value['metadata']);
  const conditions = parseConditions(value['status']);
  return { apiVersion: 'apiextensions.k8s.io/v1', kind, metadata, spec: value['spec'], status: { conditions } };
}

function parseConditions(status: unknown): readonly { readonly type: string; readonly status: string }[] {
  const found = isJsonObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(found)) return [];
  return found.filter(isJsonObject).map((item) => ({ type: String(item['type']), status: String(item['status']) }));
}
