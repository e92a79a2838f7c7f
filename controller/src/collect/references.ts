import { functions, functionVersions, type Kind, layers } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import type { LayerObject } from '@kappa/crds/layer';

/** What of the blob store is needed. */
export interface References {
  /** Digests, 64 lower-case hex digits. */
  readonly digests: ReadonlySet<string>;
  /** Functions, versions and layers that were looked at. */
  readonly objects: number;
}

/** Objects of one page; a Function with inline code may have 512 KiB. */
const PAGE_SIZE = 100;

/**
 * What all Functions, FunctionVersions and Layers refer to, as the API server itself has them now; no cache is believed. Kinds are read in the
 * order in which references move: code from a function to its versions, contents of a layer to the versions of functions. Functions are read once
 * more at the end, for those that kubectl has made of a version meanwhile.
 *
 * @throws KubernetesError, ParseError: then nothing is known
 */
export async function readReferences(kubernetes: Pick<Kubernetes, 'page'>): Promise<References> {
  const digests = new Set<string>();
  let objects = 0;
  const read = async <T>(kind: Kind<T>, digestsOf: (object: T) => readonly (string | undefined)[]): Promise<void> => {
    let from: string | null = '';
    while (from !== null) {
      const page: Awaited<ReturnType<typeof kubernetes.page<T>>> = await kubernetes.page(kind, {
        limit: PAGE_SIZE,
        from,
      });
      objects += page.items.length;
      for (const digest of page.items.flatMap(digestsOf)) if (digest !== undefined) digests.add(digest);
      from = page.next;
    }
  };
  await read(functions, ofCode);
  await read(layers, ofCode);
  await read(functionVersions, ofVersion);
  await read(functions, ofCode);
  return { digests, objects };
}

function ofCode({ spec, status }: FunctionObject | LayerObject): readonly (string | undefined)[] {
  const { zip, url } = spec.code;
  return [zip?.sha256, url?.sha256, hexOf(status?.codeSha256)];
}

function ofVersion({ spec }: FunctionVersionObject): readonly string[] {
  return [spec.code.sha256, ...(spec.layers ?? []).map(({ sha256 }) => sha256)];
}

/** Status has digests as Lambda writes them. */
function hexOf(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}
