import type { AssumedRole } from '../auth/principal.ts';

/** What a session token says. Exactly one of `parent` and `role`. */
export interface Claims {
  readonly accessKeyId: string;
  /** Epoch seconds. */
  readonly expiresAtSeconds: number;
  /** Access key id of whose rights the session has. */
  readonly parent?: string;
  readonly role?: AssumedRole & { readonly accountId: string };
}

/** Reads what was sealed; undefined is nobody's. Null = another version of Kappa meant something else by it: it is nobody's then. */
export function parseClaims(value: unknown): Claims | null {
  const { accessKeyId, expiresAtSeconds, parent, role } = Object(value ?? {});
  if (typeof accessKeyId !== 'string' || typeof expiresAtSeconds !== 'number') return null;
  if (typeof parent === 'string') return { accessKeyId, expiresAtSeconds, parent };
  const parsed = parseRole(role);
  return parsed === null ? null : { accessKeyId, expiresAtSeconds, role: parsed };
}

function parseRole(value: unknown): NonNullable<Claims['role']> | null {
  const { accountId, name, sessionName, namespace, objectName, uid } = Object(value ?? {});
  const texts: readonly unknown[] = [accountId, name, sessionName, namespace, objectName, uid];
  return texts.every((text) => typeof text === 'string' && text !== '')
    ? { accountId, name, sessionName, namespace, objectName, uid }
    : null;
}
