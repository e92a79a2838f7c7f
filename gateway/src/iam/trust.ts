import { isJsonObject } from '@kappa/crds/parse-meta';

/** Who wants to be a role. */
export type Trusted =
  | { readonly kind: 'service'; readonly name: string }
  /** `arns`: the names that the caller has, of a session also its role's. */
  | {
      readonly kind: 'caller';
      readonly accountId: string;
      readonly arns: readonly string[];
      readonly externalId: string | null;
    };

/**
 * Whether a role's trust policy lets somebody be the role (`sts:AssumeRole`). Fails closed: what is not understood allows nobody, and
 * a condition other than one on `sts:ExternalId` makes a statement allow nobody and deny everybody.
 *
 * @param document JSON text
 */
export function trusts(document: string, who: Trusted): boolean {
  const statements = statementsOf(document);
  const counts = (effect: string) => (statement: Statement) =>
    statement['Effect'] === effect && isAboutAssuming(statement['Action']) && names(statement['Principal'], who);
  const isDenied = statements.filter(counts('Deny')).some((statement) => holds(statement, who) !== false);
  return !isDenied && statements.filter(counts('Allow')).some((statement) => holds(statement, who) === true);
}

/** Why a text is no policy document; null = it is one, as far as IAM looks at it when it is stored. */
export function documentProblem(text: string): string | null {
  const parsed = parsedJson(text);
  if (!isJsonObject(parsed)) return 'This policy contains invalid Json';
  const statements = [parsed['Statement']].flat();
  if (statements.length === 0 || !statements.every(isJsonObject)) return 'Syntax errors in policy.';
  return statements.some(({ Effect }) => Effect !== 'Allow' && Effect !== 'Deny') ? 'Syntax errors in policy.' : null;
}

type Statement = Readonly<Record<string, unknown>>;

function statementsOf(document: string): readonly Statement[] {
  const parsed = parsedJson(document);
  return isJsonObject(parsed) ? [parsed['Statement']].flat().filter(isJsonObject) : [];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAboutAssuming(action: unknown): boolean {
  return [action].flat().some((each) => typeof each === 'string' && /^(\*|sts:(\*|assumerole))$/i.test(each));
}

function names(principal: unknown, who: Trusted): boolean {
  if (principal === '*') return true;
  if (!isJsonObject(principal)) return false;
  if (who.kind === 'service') return [principal['Service']].flat().includes(who.name);
  const own = ['*', who.accountId, `arn:aws:iam::${who.accountId}:root`, ...who.arns];
  return [principal['AWS']].flat().some((each) => typeof each === 'string' && own.includes(each));
}

/** Null = it cannot be told. */
function holds({ Condition: condition }: Statement, who: Trusted): boolean | null {
  if (condition === undefined) return true;
  const { StringEquals: equals, ...others } = Object(condition);
  if (Object.keys(others).length > 0 || !isJsonObject(equals) || who.kind === 'service') return null;
  const { 'sts:ExternalId': externalId, ...more } = equals;
  if (Object.keys(more).length > 0 || externalId === undefined) return null;
  return who.externalId !== null && [externalId].flat().includes(who.externalId);
}
