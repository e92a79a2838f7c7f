import { invalidParameter } from './logs-error.ts';

/** Whether a message is meant. */
export type Matcher = (message: string) => boolean;

/** `-` or `?`, then words in quotes or one word; then a space or the end. */
const term = /\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"?-][^\s"]*))(?=\s|$)/y;

/**
 * Reads a filter pattern for text: a message must have all terms and no `-term`; of `?terms` it must have one, but where there are terms of
 * another kind these do not count, as on AWS. Case counts; a term is found within words, too.
 *
 * @throws LambdaError InvalidParameterException, also for patterns of JSON, of columns, and for regular expressions
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function parseFilterPattern(pattern: string): Matcher {
  const text = pattern.trim();
  if (text === '') return () => true;
  if (/^[{[]/.test(text)) throw unsupported(text.startsWith('{') ? 'JSON ({ ... })' : 'columns ([ ... ])');
  const { all, none, any } = termsOf(text);
  if (all.length + none.length > 0)
    return (message) => all.every((each) => message.includes(each)) && !none.some((each) => message.includes(each));
  return (message) => any.some((each) => message.includes(each));
}

interface Terms {
  readonly all: string[];
  readonly none: string[];
  readonly any: string[];
}

function termsOf(text: string): Terms {
  const terms: Terms = { all: [], none: [], any: [] };
  term.lastIndex = 0;
  while (term.lastIndex < text.length) {
    const [, sign, quoted, word] = term.exec(text) ?? [];
    const found = quoted?.replaceAll(/\\(.)/g, '$1') ?? word;
    if (found === undefined || found === '') throw invalidParameter('Invalid filter pattern');
    if (quoted === undefined && /^%.*%$/.test(found)) throw unsupported('regular expressions (%...%)');
    (sign === '-' ? terms.none : sign === '?' ? terms.any : terms.all).push(found);
  }
  return terms;
}

function unsupported(what: string): Error {
  return invalidParameter(
    `Invalid filter pattern: patterns for ${what} are not supported by this install; terms, "phrases", -term and ?term are.`,
  );
}
