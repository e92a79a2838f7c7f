/** What matters of a Redis server's settings, as it tells them; undefined = it does not say. */
export interface RedisSettings {
  readonly version: string;
  readonly appendOnly: string | undefined;
  readonly appendFsync: string | undefined;
  /** `no-appendfsync-on-rewrite`: `yes` takes `appendfsync` back for as long as the log is rewritten. */
  readonly noFsyncOnRewrite: string | undefined;
  readonly evictionPolicy: string | undefined;
  /** 0 = no bound. */
  readonly maxMemoryBytes: number;
}

/** Whether a server keeps what it acknowledges. */
export interface Verdict {
  /** Each is a reason to accept nothing: an event could be lost after its 202. */
  readonly dangers: readonly string[];
  /** What the server does not tell, and its operator has to know. */
  readonly unknown: readonly string[];
}

/** What `CONFIG GET` is asked for. */
export const settingNames = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite', 'maxmemory', 'maxmemory-policy'];

/** Fails closed on what is known to be wrong, open on what a managed server hides. */
export function judge(settings: RedisSettings): Verdict {
  const dangers: string[] = [];
  const unknown: string[] = [];
  if (Number.parseInt(settings.version, 10) < 7) dangers.push(`Redis ${settings.version} is older than 7`);
  const check = (name: string, value: string | undefined, isGood: (value: string) => boolean, wanted: string): void => {
    if (value === undefined) unknown.push(`${name} (${wanted} is needed)`);
    else if (!isGood(value)) dangers.push(`${name} is ${value}: ${wanted} is needed`);
  };
  check('appendonly', settings.appendOnly, (value) => value === 'yes', 'yes');
  check('appendfsync', settings.appendFsync, (value) => value === 'always', 'always');
  check('no-appendfsync-on-rewrite', settings.noFsyncOnRewrite, (value) => value === 'no', 'no');
  check('maxmemory-policy', settings.evictionPolicy, (value) => !value.startsWith('allkeys-'), 'noeviction');
  return { dangers, unknown };
}

/**
 * @param info text of `INFO`
 * @param config pairs of `CONFIG GET`; null = the server refuses to tell
 */
export function parseSettings(info: string, config: readonly string[] | null): RedisSettings {
  const told = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) told.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const set = new Map<string, string>();
  for (let i = 0; config !== null && i + 1 < config.length; i += 2) set.set(config[i] ?? '', config[i + 1] ?? '');
  const aof = told.get('aof_enabled');
  return {
    version: told.get('redis_version') ?? '0',
    appendOnly: set.get('appendonly') ?? (aof === undefined ? undefined : aof === '1' ? 'yes' : 'no'),
    appendFsync: set.get('appendfsync'),
    noFsyncOnRewrite: set.get('no-appendfsync-on-rewrite'),
    evictionPolicy: set.get('maxmemory-policy') ?? told.get('maxmemory_policy'),
    maxMemoryBytes: Number(set.get('maxmemory') ?? told.get('maxmemory') ?? 0),
  };
}
