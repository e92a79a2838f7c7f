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
