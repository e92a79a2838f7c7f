import { Environment } from '@marcbachmann/cel-js';

/** What `url()` gives to a rule. */
class CelUrl {
  readonly url: URL;
  constructor(text: string) {
    this.url = parseUrl(text);
  }
}

/**
 * The expression environment of `x-kubernetes-validations`: CEL plus the parts of Kubernetes' and CEL's string
 * and list libraries that JavaScript's CEL lacks. `quantity`, `ip`, `cidr` and `semver` are not there.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
export function celEnvironment(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  environment.registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
  registerUrls(environment);
  registerStrings(environment);
  registerLists(environment);
  return environment;
}

function registerUrls(environment: Environment): void {
  environment.registerType('kubernetes.URL', { ctor: CelUrl, fields: {} });
  environment.registerFunction('isURL(string): bool', (text: string) => canParseUrl(text));
  environment.registerFunction('url(string): kubernetes.URL', (text: string) => new CelUrl(text));
  const part = (name: string, read: (url: URL) => string) =>
    environment.registerFunction(`kubernetes.URL.${name}(): string`, (value: CelUrl) => read(value.url));
  part('getScheme', (url) => url.protocol.replace(/:$/, ''));
  part('getHost', (url) => url.host);
  part('getHostname', (url) => url.hostname.replace(/^\[|\]$/g, ''));
  part('getPort', (url) => url.port);
  part('getEscapedPath', (url) => url.pathname);
  environment.registerFunction('kubernetes.URL.getQuery(): map', (value: CelUrl) => queryOf(value.url));
}

/** Go's url.ParseRequestURI also takes an absolute path, which has no scheme and no host. */
function parseUrl(text: string): URL {
  if (text.startsWith('/')) return new URL(text, 'path://');
  return new URL(text);
}

function canParseUrl(text: string): boolean {
  return text.startsWith('/') || (URL.canParse(text) && !/[\s\p{Cc}]/u.test(text));
}

function queryOf(url: URL): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const key of url.searchParams.keys()) query.set(key, [...url.searchParams.getAll(key)]);
  return query;
}

function registerStrings(environment: Environment): void {
  const find = (text: string, pattern: string): string => new RegExp(pattern, 'u').exec(text)?.[0] ?? '';
  const findAll = (text: string, pattern: string, limit: number): string[] =>
    [...text.matchAll(new RegExp(pattern, 'gu'))].map(([match]) => match).slice(0, limit < 0 ? undefined : limit);
  environment.registerFunction('string.find(string): string', find);
  environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    findAll(text, pattern, -1),
  );
  environment.registerFunction('string.findAll(string, int): list<string>', (text: string, p: string, n: bigint) =>
    findAll(text, p, Number(n)),
  );
  environment.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.split(from).join(to),
  );
  environment.registerFunction('string.replace(string, string, int): string', replaceSome);
  environment.registerFunction('string.charAt(int): string', (text: string, at: bigint) => [...text][Number(at)] ?? '');
  environment.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  environment.registerFunction('string.format(list): string', formatText);
}

function replaceSome(text: string, from: string, to: string, limit: bigint): string {
  const parts = text.split(from);
  const replaced = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1);
  const head = parts.slice(0, replaced + 1).join(to);
  return [head, ...parts.slice(replaced + 1)].join(from);
}

/** `%s`, `%d` and `%f` of CEL's string extension; other verbs are an error, as an unknown verb is there. */
function formatText(template: string, values: readonly unknown[]): string {
  let next = 0;
  return template.replace(/%(?:\.(\d+))?(.)/g, (_all, digits: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (!'sdf'.includes(verb)) throw new Error(`could not parse formatting clause: unrecognized "${verb}"`);
    if (next >= values.length) throw new Error(`index ${next} out of range`);
    const value = values[next++];
    return verb === 'f' ? Number(value).toFixed(Number(digits ?? 6)) : celText(value);
  });
}

function celText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(celText).join(', ')}]`;
  return String(value);
}

type Ordered = bigint | number | string;

function registerLists(environment: Environment): void {
  const best = (list: readonly Ordered[], isBetter: (a: Ordered, b: Ordered) => boolean): Ordered => {
    const [first, ...rest] = list;
    if (first === undefined) throw new Error('min/max called on an empty list');
    return rest.reduce((found, one) => (isBetter(one, found) ? one : found), first);
  };
  environment.registerFunction('list.min(): dyn', (list: readonly Ordered[]) => best(list, (a, b) => a < b));
  environment.registerFunction('list.max(): dyn', (list: readonly Ordered[]) => best(list, (a, b) => a > b));
  environment.registerFunction('list.sum(): dyn', sum);
  environment.registerFunction('list.isSorted(): bool', (list: readonly Ordered[]) =>
    list.every((one, index) => index === 0 || (list[index - 1] ?? one) <= one),
  );
  environment.registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], value: unknown) =>
    BigInt(list.indexOf(value)),
  );
  environment.registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], value: unknown) =>
    BigInt(list.lastIndexOf(value)),
  );
}

/** An empty list sums to the integer 0: its element type is not known here. */
function sum(list: readonly (bigint | number)[]): bigint | number {
  if (list.every((one) => typeof one === 'bigint')) return list.reduce<bigint>((total, one) => total + one, 0n);
  return list.reduce<number>((total, one) => total + Number(one), 0);
}
