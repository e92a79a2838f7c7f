import type { Informer } from '@kappa/crds/client/informer';
import { type Secret, secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { parseIdentity } from './key-identity.ts';
import type { Identity, Principal } from './principal.ts';

/** Marks Secrets that are access keys. */
export const accessKeyLabel = 'kappa.dev/access-key';
/** Annotation with the accounts that the key may use; the Secret's own key `accounts` goes first. */
export const accountsAnnotation = 'kappa.dev/accounts';

/** One access key. Never log it. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** 12 digits each; null = all. */
  readonly accounts: readonly string[] | null;
  /** Name of its Secret. */
  readonly name?: string;
  /** Whose rights in the cluster it has; absent = it may do everything with its accounts. */
  readonly identity?: Identity;
}

const principals = new WeakMap<AccessKey, Principal>();

/** Who signs with this key; the same object for as long as the key stays as it is. */
export function principalOf(key: AccessKey): Principal {
  const known = principals.get(key);
  if (known !== undefined) return known;
  const { accessKeyId, accounts, name, identity } = key;
  const made: Principal = {
    accessKeyId,
    accounts,
    ...(name !== undefined && { keyName: name }),
    ...(identity !== undefined && { identity }),
  };
  principals.set(key, made);
  return made;
}

/** The keys of the install. */
export interface AccessKeys {
  find(accessKeyId: string): AccessKey | undefined;
  /** False until the Secrets have been seen: then a key that is not found may exist all the same. */
  isKnown(): boolean;
}

/** What {@link watchAccessKeys} works with. */
export interface AccessKeysDeps {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  /** Where the Secrets are: the release's namespace, that tenants cannot write to. */
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Hears of Secrets that are no access keys although they say so, by name; fails closed. */
  readonly onProblem: (problem: string) => void;
}

/**
 * Follows the access keys. They stand in memory, and in the tmpfs of snapshots where `connect` was given one (0600), so that signed
 * requests are answered while the API server is away. A deleted Secret ends its key within the watch's delay, well under a second.
 */
export function watchAccessKeys({ kubernetes, namespace, signal, onProblem }: AccessKeysDeps): AccessKeys & {
  readonly informer: Informer<AccessKey | string>;
} {
  let byId = new Map<string, AccessKey>();
  const index = (): void => {
    byId = indexed(informer.entries(), onProblem);
  };
  let isStale = true;
  const informer = kubernetes.watch(secrets, {
    namespace,
    labelSelector: `${accessKeyLabel}=true`,
    project: parseAccessKey,
    onChange: () => {
      isStale = true;
    },
    signal,
    snapshot: { name: 'access-keys', shape: 2 },
  });
  return {
    informer,
    isKnown: () => informer.hasSynced,
    find: (accessKeyId) => {
      if (isStale) index();
      isStale = false;
      return byId.get(accessKeyId);
    },
  };
}

/** The first Secret by name has the key; a second one with the same id is not used. */
function indexed(
  entries: readonly (readonly [string, AccessKey | string])[],
  onProblem: (problem: string) => void,
): Map<string, AccessKey> {
  const byId = new Map<string, AccessKey>();
  for (const [name, parsed] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof parsed === 'string') onProblem(`Secret ${name} is no access key: ${parsed}`);
    else if (byId.has(parsed.accessKeyId)) onProblem(`Secret ${name} has the access key id of another one`);
    else byId.set(parsed.accessKeyId, parsed);
  }
  return byId;
}

/** @returns the key, or in words why the Secret is none; the words have no value of it */
export function parseAccessKey({ metadata, data = {} }: Secret): AccessKey | string {
  const text = (name: string): string =>
    Buffer.from(data[name] ?? '', 'base64')
      .toString()
      .trim();
  /** What the Secret itself has goes before its annotation. */
  const named = (name: string, annotation: string): string | undefined =>
    data[name] === undefined ? metadata.annotations[annotation] : text(name);
  const accessKeyId = text('accessKeyId');
  const secretAccessKey = text('secretAccessKey');
  if (!/^[\w.-]{3,128}$/.test(accessKeyId)) return 'accessKeyId must have 3 to 128 letters, digits or _ . -';
  if (secretAccessKey.length < 16) return 'secretAccessKey must have at least 16 characters';
  const accounts = named('accounts', accountsAnnotation)
    ?.split(',')
    .map((account) => account.trim());
  if (accounts?.some((account) => !/^\d{12}$/.test(account))) return 'accounts must be 12 digits each, with commas';
  const identity = parseIdentity(named);
  if (typeof identity === 'string') return identity;
  const key = { accessKeyId, secretAccessKey, accounts: accounts ?? null, name: metadata.name };
  return identity === null ? key : { ...key, identity };
}
