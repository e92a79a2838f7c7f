import { InvalidParameterValue } from '../errors.ts';

/** What a FunctionName parameter says. */
export interface Reference {
  /** Lambda's name. */
  readonly name: string;
  readonly qualifier?: string;
  readonly accountId?: string;
  readonly region?: string;
}

/**
 * The forms that Lambda takes: `NAME`, `ACCOUNT:function:NAME`, `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`,
 * also `function:NAME`, each with `:QUALIFIER`.
 *
 * @see AWS Lambda API, Invoke, FunctionName
 */
const form =
  /^(?:arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?<accountId>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_]{1,64})(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]{1,128}))?$/;
const plain = /^[a-zA-Z0-9-_]{1,64}$/;

/**
 * @param label the path segment, percent-encoded
 * @throws InvalidParameterValue
 */
export function parseReference(label: string): Reference {
  if (plain.test(label)) return { name: label };
  const text = decode(label);
  const { name, qualifier, accountId, region } = form.exec(text)?.groups ?? {};
  if (name === undefined) throw notAName(text);
  return {
    name,
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(region === undefined ? {} : { region }),
  };
}

function decode(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    throw notAName(label);
  }
}

function notAName(text: string): InvalidParameterValue {
  const shown = text.slice(0, 200);
  return new InvalidParameterValue(
    `1 validation error detected: Value '${shown}' at 'functionName' failed to satisfy constraint: Member must be a function name, a partial ARN or an ARN, with a qualifier or without one`,
  );
}
