/** Buckets that some namespaces may have their code fetched from, and how the gateway gets at them. */
export interface CodeSource {
  /** Whose functions and layers. */
  readonly isFor: (namespace: string) => boolean;
  readonly hasBucket: (bucket: string) => boolean;
  /** For example `https://s3.eu-west-1.amazonaws.com`; empty = the install's own store, or Amazon's where it has none. */
  readonly endpoint: string;
  readonly region: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly forcePathStyle: boolean;
  /** null = what the AWS SDK finds: the gateway's own. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** The first source that has the bucket for that namespace; undefined = it may not have anything from there. */
export function sourceOf(sources: readonly CodeSource[], namespace: string, bucket: string): CodeSource | undefined {
  return sources.find((source) => source.isFor(namespace) && source.hasBucket(bucket));
}

/** More than that is a mistake. */
const MAX_SOURCES = 100;
const MAX_PATTERNS = 100;

/**
 * Reads `KAPPA_CODE_SOURCES`, a list in JSON: `{"buckets": ["deploy-*"], "namespaces": ["team-a"]}` and, where they are not the install's own,
 * `endpoint`, `region` and `forcePathStyle`. In the patterns `*` stands for any characters. The keys of the first are
 * `KAPPA_CODE_SOURCE_0_ACCESS_KEY_ID` and `KAPPA_CODE_SOURCE_0_SECRET_ACCESS_KEY`, and so on. What is not understood is an error: nobody may get more
 * than was meant.
 *
 * @throws Error that says what is wrong
 */
export function parseCodeSources(env: Readonly<Record<string, string | undefined>>): readonly CodeSource[] {
  const text = env['KAPPA_CODE_SOURCES'] ?? '';
  if (text === '') return [];
  const entries: unknown = parseJson(text);
  if (!Array.isArray(entries) || entries.length > MAX_SOURCES)
    throw new Error(`KAPPA_CODE_SOURCES is not a list of at most ${MAX_SOURCES}`);
  return entries.map((entry: unknown, index) => parseSource(entry, index, env));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('KAPPA_CODE_SOURCES is not JSON');
  }
}

const members = new Set(['buckets', 'namespaces', 'endpoint', 'region', 'forcePathStyle']);

function parseSource(value: unknown, index: number, env: Readonly<Record<string, string | undefined>>): CodeSource {
  const where = `KAPPA_CODE_SOURCES[${index}]`;
  if (typeof value !== 'object' || value === null) throw new Error(`${where} is not an object`);
  const fields: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(value));
  const unknown = Object.keys(fields).find((name) => !members.has(name));
  if (unknown !== undefined) throw new Error(`${where} has an unknown member ${unknown}`);
  const { endpoint = '', region = 'us-east-1', forcePathStyle = true } = fields;
  if (typeof endpoint !== 'string' || !/^(https?:\/\/\S+)?$/.test(endpoint))
    throw new Error(`${where}.endpoint is not a URL`);
  if (typeof region !== 'string' || !/^[\w-]+$/.test(region)) throw new Error(`${where}.region is not a region`);
  if (typeof forcePathStyle !== 'boolean') throw new Error(`${where}.forcePathStyle is neither true nor false`);
  return {
    hasBucket: parsePatterns(fields['buckets'], `${where}.buckets`),
    isFor: parsePatterns(fields['namespaces'], `${where}.namespaces`),
    endpoint,
    region,
    forcePathStyle,
    credentials: credentialsOf(`KAPPA_CODE_SOURCE_${index}`, env),
  };
}

function credentialsOf(prefix: string, env: Readonly<Record<string, string | undefined>>): CodeSource['credentials'] {
  const accessKeyId = env[`${prefix}_ACCESS_KEY_ID`] ?? '';
  const secretAccessKey = env[`${prefix}_SECRET_ACCESS_KEY`] ?? '';
  if ((accessKeyId === '') !== (secretAccessKey === '')) throw new Error(`${prefix} has one half of a key only`);
  return accessKeyId === '' ? null : { accessKeyId, secretAccessKey };
}

function parsePatterns(value: unknown, where: string): (text: string) => boolean {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_PATTERNS;
  if (!isList) throw new Error(`${where} is not a list of 1 to ${MAX_PATTERNS} names`);
  const patterns = value.map((pattern: unknown) => {
    if (typeof pattern !== 'string' || !/^[a-z0-9A-Z.*_-]{1,63}$/.test(pattern))
      throw new Error(`${where} has something that is no name: ${JSON.stringify(pattern)}`);
    return pattern.split('*');
  });
  return (text) => patterns.some((parts) => matches(parts, text));
}

/** Whether a text has these parts in their order, with anything between them. No regular expression: an operator's `*a*a*a*` must not be slow. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
