/**
 * Turns a regular expression of the service model, which is Java's and meant for the whole value, into JavaScript's. What
 * differs: `\s` is ASCII in Java, `.` stops at U+0085 too, and a value must match as a whole. Everything else that the
 * model uses means the same with the `u` flag.
 *
 * @throws SyntaxError when the rest is not JavaScript
 */
export function compilePattern(source: string): RegExp {
  let isClass = false;
  const translated = source.replaceAll(/\\s|\\.|[[\].]/gs, (token) => {
    if (token === '[' || token === ']') isClass = token === '[';
    if (token === '\\s') return isClass ? asciiSpace : `[${asciiSpace}]`;
    if (token === '.' && !isClass) return anyButLineEnd;
    return token;
  });
  return new RegExp(`^(?:${translated})$`, 'u');
}

const asciiSpace = ' \\t\\n\\v\\f\\r';
const anyButLineEnd = '[^\\n\\r\\u0085\\u2028\\u2029]';
