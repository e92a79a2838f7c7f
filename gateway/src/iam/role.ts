import { createHash } from 'node:crypto';
import type { ServiceAccount } from '@kappa/crds/client/kinds';
import { isJsonObject } from '@kappa/crds/parse-meta';
import { roleNameOf, roleObjectName } from './role-name.ts';

/** On ServiceAccounts that the IAM API made: only those does it change. */
export const roleLabel = 'kappa.dev/role';
/** What IAM keeps of a role and Kubernetes has no field for: JSON of {@link RoleRecord}. */
export const roleAnnotation = 'kappa.dev/role';

/** What the annotation holds. Documents are JSON text, as they came. */
export interface RoleRecord {
  /** Where it is not what the object's name stands for. */
  readonly name?: string;
  readonly path?: string;
  readonly description?: string;
  readonly maxSessionSeconds?: number;
  readonly trustPolicy?: string;
  /** Inline policies by name. */
  readonly policies?: Readonly<Record<string, string>>;
  /** ARNs of attached policies. */
  readonly attached?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** A role: a ServiceAccount as IAM shows it. */
export interface Role extends RoleRecord {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly createdMs: number;
  /** Seconds that a session of it may last at most; 3,600 to 43,200. */
  readonly maxSessionSeconds: number;
  /** Whether the IAM API made it, and may change it. */
  readonly isOwn: boolean;
  readonly namespace: string;
  readonly objectName: string;
  readonly uid: string;
}

/** Reads a ServiceAccount as a role of an account. */
export function roleOf({ metadata }: ServiceAccount, accountId: string): Role {
  const record = recordOf(metadata.annotations);
  const isSaid = record.name !== undefined && roleObjectName(record.name) === metadata.name;
  const name = isSaid ? record.name : roleNameOf(metadata.name);
  const path = record.path ?? '/';
  return {
    maxSessionSeconds: 3600,
    ...record,
    name,
    path,
    arn: `arn:aws:iam::${accountId}:role${path}${name}`,
    id: uniqueId('AROA', metadata.uid),
    createdMs: metadata.creationTimestampMs ?? 0,
    isOwn: metadata.labels[roleLabel] === 'true',
    namespace: metadata.namespace,
    objectName: metadata.name,
    uid: metadata.uid,
  };
}

/** What IAM keeps of a ServiceAccount. Whoever may edit it may have written this: what is of another type counts as not there. */
export function recordOf(annotations: Readonly<Record<string, string>>): RoleRecord {
  const stored = parsedJson(annotations[roleAnnotation] ?? '{}');
  if (!isJsonObject(stored)) return {};
  const { name, path, description, maxSessionSeconds, trustPolicy, policies, attached, tags } = stored;
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof path === 'string' && { path }),
    ...(typeof description === 'string' && { description }),
    ...(typeof maxSessionSeconds === 'number' && { maxSessionSeconds }),
    ...(typeof trustPolicy === 'string' && { trustPolicy }),
    ...(isTexts(policies) && { policies }),
    ...(Array.isArray(attached) && { attached: attached.filter((each) => typeof each === 'string') }),
    ...(isTexts(tags) && { tags }),
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((each) => typeof each === 'string');
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** An id of IAM's form: the same for the same text, another one for another. @param prefix of four letters */
export function uniqueId(prefix: string, text: string): string {
  const digest = createHash('sha256').update(text).digest();
  return prefix + [...digest.subarray(0, 17)].map((byte) => base32[byte % base32.length]).join('');
}
