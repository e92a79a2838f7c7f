import { defaultAccountId } from '@kappa/crds/accounts';

/** Whom the cluster's own authorization is asked about. One object per access key or session: caches hang on it. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  /** It may nothing once this ServiceAccount is gone, or another one has its name. */
  readonly boundTo?: { readonly namespace: string; readonly name: string; readonly uid: string };
}

/** A role that a caller has assumed: a ServiceAccount. */
export interface AssumedRole {
  /** IAM's name of it. */
  readonly name: string;
  /** Which of the role's sessions this is, as its caller named it. */
  readonly sessionName: string;
  readonly namespace: string;
  /** The ServiceAccount. */
  readonly objectName: string;
  /** Of the ServiceAccount: another one of the same name is another role. */
  readonly uid: string;
}

/** Who sent a request. */
export interface Principal {
  /** null: nobody was asked (`KAPPA_AUTH=none`). */
  readonly accessKeyId: string | null;
  /** Accounts whose functions it may use, its own one first; null = all. */
  readonly accounts: readonly string[] | null;
  /** Absent = nobody in the cluster: the accounts alone say what it may do. */
  readonly identity?: Identity;
  /** Name of the access key's Secret; absent for roles, and where nobody was asked. */
  readonly keyName?: string;
  /** Absent = an access key, or a session with the rights of one. */
  readonly role?: AssumedRole;
  /** Its credentials end by themselves. */
  readonly isSession?: boolean;
}

/** The account that a caller is in. */
export function ownAccountOf({ accounts }: Pick<Principal, 'accounts'>): string {
  return accounts?.[0] ?? defaultAccountId;
}

/** How policies and GetCallerIdentity name a caller: a user with the name of its key's Secret, or a role's session. */
export function arnOfPrincipal(principal: Principal): string {
  const account = ownAccountOf(principal);
  const { role, keyName } = principal;
  if (role !== undefined) return `arn:aws:sts::${account}:assumed-role/${role.name}/${role.sessionName}`;
  return keyName === undefined ? `arn:aws:iam::${account}:root` : `arn:aws:iam::${account}:user/${keyName}`;
}

/** The same, but of a role's session the role: what policies mostly name. */
export function arnOfPolicies(principal: Principal): string {
  const { role } = principal;
  return role === undefined ? arnOfPrincipal(principal) : `arn:aws:iam::${ownAccountOf(principal)}:role/${role.name}`;
}
