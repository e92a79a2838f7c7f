import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const images = fileURLToPath(new URL('../', import.meta.url));
const agentFolder = path.join(images, 'agent');

/** A runtime of runtimes.yaml, as far as pods of tests need it. */
export interface RuntimeEntry {
  readonly id: string;
  readonly family: string;
  readonly local: { readonly bootstrap: readonly string[] };
  readonly freshProcess: readonly string[];
}

/** A container image, as files. @see unpackImage of e2e/images */
export interface TestImage {
  /** Absolute path of its root file system. */
  readonly root: string;
  readonly entrypoint: readonly string[];
  /** User and group by number. */
  readonly user: string;
  /** `NAME=VALUE` each. */
  readonly environment: readonly string[];
}

/** What runs an agent: an image, or this tree with an interpreter of this machine; null where the function brings its runtime. */
export type Place = TestImage | string | null;

/** Whether it is an image. */
export function isImage(place: Place): place is TestImage {
  return typeof place === 'object' && place !== null;
}

/** The agent of this tree, with this machine's interpreter of the language, on folders of its own. */
export function startHere(
  entry: RuntimeEntry,
  interpreter: string | null,
  folder: string,
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const [task, opt, tmp] = ['task', 'opt', 'tmp'].map((name) => path.join(folder, name));
  for (const each of [task, opt, tmp]) mkdirSync(each ?? '');
  const folders = { KAPPA_TASK_DIR: task, KAPPA_OPT_DIR: opt, KAPPA_TMP_DIR: tmp };
  const command = interpreter === null ? [] : ['--', interpreter, ...bootstrapOf(entry)];
  return spawn(agentBinary(), command, { env: { ...env, ...folders }, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** As in a pod: the image's files read-only and its entry point as its user, with the volumes that function pods have. Needs root. */
export function startInImage(image: TestImage, env: NodeJS.ProcessEnv): ChildProcess {
  const given = Object.fromEntries(image.environment.map((text) => text.split(/=(.*)/s).slice(0, 2)));
  const script = `
    mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"
    for volume in tmp var/task opt; do mount -t tmpfs -o mode=1777 none "$0/$volume"; done
    mount -t proc none "$0/proc" && mount --rbind /dev "$0/dev"
    exec chroot --userspec=${image.user} "$0" "$@"`;
  return spawn('unshare', ['--mount', 'sh', '-ec', script, image.root, ...image.entrypoint], {
    env: { ...env, ...given },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The arguments after the interpreter; files of the family's folder by their full path. */
function bootstrapOf({ family, local }: RuntimeEntry): readonly string[] {
  const found = local.bootstrap.map((word) => [word, path.join(images, family, word)] as const);
  return found.map(([word, file]) => (existsSync(file) ? file : word));
}

/** The runtime with that identifier. @throws Error when there is none */
export function runtimeOf(id: string): RuntimeEntry {
  const { runtimes } = parse(readFileSync(path.join(images, 'runtimes.yaml'), 'utf8')) as { runtimes: RuntimeEntry[] };
  const entry = runtimes.find((each) => each.id === id);
  if (entry === undefined) throw new Error(`no runtime ${id}`);
  return entry;
}

function agentBinary(): string {
  const binary = path.join(agentFolder, 'bin', 'agent');
  if (!existsSync(binary)) execFileSync('go', ['build', '-o', binary, '.'], { cwd: agentFolder });
  return binary;
}
