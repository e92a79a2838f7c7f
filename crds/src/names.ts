import { functionNameMaxChars } from './limits.ts';

/** Lambda names are 1 to 64 of these. */
const lambdaName = /^[a-zA-Z0-9_-]{1,64}$/;
/** A Lambda name that is a legal `metadata.name` as it is. */
const plainName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** What `toObjectName` makes of the others: base, `.n` or `.p` (padded), mask in hexadecimal. */
const encodedName = /^([a-z0-9][a-z0-9-]*[a-z0-9]|[a-z0-9])\.([np])([0-9a-f]{1,16})$/;
/** Stands before and after a name that begins or ends with a hyphen or an underscore. */
const padding = 'x';

/**
 * `metadata.name` for a function that Lambda's API made. A lower-case name without underscores and hyphens at its ends stays
 * as it is. Of others the base is the name in lower case with `-` for `_`, and a suffix tells the difference:
 * `My_Func` → `my-func.nd`: the mask d = 1101 in binary says that characters 0, 2 and 3 are not what they seem.
 * Reversible, injective, at most 84 characters.
 *
 * @param name Lambda's name, 1 to 64 of `[a-zA-Z0-9_-]`
 * @throws RangeError when it is not one
 */
export function toObjectName(name: string): string {
  if (!isFunctionName(name)) throw new RangeError(`not a function name: ${JSON.stringify(name.slice(0, 100))}`);
  return encodeName(name);
}

/** The same for names of any length; 140 characters become at most 180. @param name of `[a-zA-Z0-9_-]` */
export function encodeName(name: string): string {
  if (plainName.test(name)) return name;
  const base = name.toLowerCase().replaceAll('_', '-');
  let mask = 0n;
  for (const [index, char] of [...name].entries()) if (char !== base[index]) mask |= 1n << BigInt(index);
  const isPadded = !plainName.test(base);
  const shown = isPadded ? `${padding}${base}${padding}` : base;
  return `${shown}.${isPadded ? 'p' : 'n'}${mask.toString(16)}`;
}

/**
 * Lambda's name of the function that `toObjectName` named so.
 *
 * @param objectName `metadata.name` of a Function
 * @returns null when no Lambda name is mapped to it; then `spec.functionName` has to say it
 */
export function toLambdaName(objectName: string): string | null {
  if (plainName.test(objectName)) return objectName.length <= functionNameMaxChars ? objectName : null;
  const [, shown, tag, hex] = encodedName.exec(objectName) ?? [];
  if (shown === undefined || hex === undefined) return null;
  const base = tag === 'p' ? shown.slice(padding.length, -padding.length) : shown;
  const mask = BigInt(`0x${hex}`);
  const name = [...base].map((char, index) => ((mask >> BigInt(index)) & 1n ? differing(char) : char)).join('');
  const isCanonical = isFunctionName(name) && toObjectName(name) === objectName;
  return isCanonical ? name : null;
}

/** Whether it is a name that Lambda would take: 1 to 64 of `[a-zA-Z0-9_-]`. */
export function isFunctionName(name: string): boolean {
  return lambdaName.test(name);
}

/** Lambda's name of a Function object: `spec.functionName`, else what its `metadata.name` stands for, else that itself. */
export function functionNameOf(fn: {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly functionName?: string };
}): string {
  return fn.spec.functionName ?? toLambdaName(fn.metadata.name) ?? fn.metadata.name;
}

function differing(char: string): string {
  return char === '-' ? '_' : char.toUpperCase();
}

/** What an ARN of a function says. */
export interface FunctionArnParts {
  /** For example us-east-1; a setting of the install. */
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
  /** Lambda's name of the function. */
  readonly name: string;
  /** $LATEST, a version's number or an alias. */
  readonly qualifier?: string;
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`. */
export function functionArn({ region, accountId, name, qualifier }: FunctionArnParts): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`;
}

/** What a caller wrote where Lambda's API wants a function. */
export interface FunctionReference {
  readonly name: string;
  /** $LATEST, $LATEST.PUBLISHED, a version's number or an alias; undefined when nothing was said. */
  readonly qualifier?: string;
  /** 12 digits, from an ARN or a partial ARN. */
  readonly accountId?: string;
  /** From a full ARN. */
  readonly region?: string;
}

const functionReference =
  /^(?:arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?<accountId>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9_-]{1,64})(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]{1,128}))?$/;

/**
 * Reads the forms that Lambda takes: `NAME`, `ACCOUNT:function:NAME`, `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`, also
 * `function:NAME` and, as Lambda does, with parts left out; each with `:QUALIFIER` or without.
 *
 * @param text percent-decoded
 * @returns null when it is none of these
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html FunctionName
 */
export function parseFunctionReference(text: string): FunctionReference | null {
  if (lambdaName.test(text)) return { name: text };
  const { name, qualifier, accountId, region } = functionReference.exec(text)?.groups ?? {};
  if (name === undefined) return null;
  return {
    name,
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(region === undefined ? {} : { region }),
  };
}
