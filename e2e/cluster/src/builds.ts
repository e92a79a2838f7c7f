import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from './run.ts';

const sourceDir = join(import.meta.dirname, '..');

/** Names that the Kubernetes binary answers to. */
export const kubePrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'kubectl',
] as const;

/** A tool of versions.json, installed by `go install`. */
interface ToolVersion {
  readonly module: string;
  readonly version: string;
  /** Below the module. */
  readonly packages: readonly string[];
  readonly tags?: string;
  readonly cgo?: boolean;
}

/** One build: its result is a directory of programs, kept in the cache until its inputs change. */
interface Build {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  /** Shell script; `$OUT` is the directory to fill. */
  readonly script: string;
}

/** Directory of each build's programs. */
export type Programs = ReadonlyMap<string, string>;

/** Path of a program. Throws when no such build was made. */
export function programPath(programs: Programs, build: string, program: string): string {
  const directory = programs.get(build);
  if (directory === undefined) throw new Error(`nothing was built as ${build}`);
  return join(directory, program);
}

/** Builds what the cache lacks, one after another, saying what and how long. Concurrent runs wait for each other. */
export async function buildPrograms(cacheDir: string, log: (line: string) => void): Promise<Programs> {
  mkdirSync(cacheDir, { recursive: true });
  const programs = new Map<string, string>();
  for (const build of listBuilds()) programs.set(build.name, await ensure(cacheDir, build, log));
  return programs;
}

async function ensure(cacheDir: string, build: Build, log: (line: string) => void): Promise<string> {
  const out = join(cacheDir, `${build.name}-${build.key}`);
  if (existsSync(out)) return out;
  const startMs = performance.now();
  log(`building ${build.name} ${build.version}`);
  const making = `${out}.making`;
  // The lock is the system's: it falls with the process that holds it, which may outlive a killed harness and goes on to fill `making`.
  const script = `if [ ! -e "${out}" ]; then rm -rf "${making}"; mkdir -p "${making}"; export OUT="${making}"; ${build.script}; mv "${making}" "${out}"; fi`;
  await runOk(['flock', join(cacheDir, 'build.lock'), 'nice', '-n', '5', 'sh', '-ec', script], {
    directory: sourceDir,
    timeoutMs: 3_600_000,
    environment: { GOFLAGS: '-buildvcs=false' },
  });
  log(`built ${build.name} in ${Math.round((performance.now() - startMs) / 1000)} s`);
  return out;
}

function listBuilds(): readonly Build[] {
  return [kubeBuild(), ...toolBuilds(), sourceBuild('pause'), sourceBuild('netpol')];
}

/** Kubernetes and etcd; their versions are in kube/go.mod. */
function kubeBuild(): Build {
  const version = /k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/.exec(
    readFileSync(join(sourceDir, 'kube/go.mod'), 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error('kube/go.mod does not require k8s.io/kubernetes');
  const [major = '', minor = ''] = version.slice(1).split('.');
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const flags = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  const links = kubePrograms.map((program) => `ln -s kube "$OUT/${program}"`);
  const script = `cd kube; CGO_ENABLED=0 go build -ldflags "-s -w ${flags.join(' ')}" -o "$OUT/kube" .; ${links.join('; ')}`;
  return {
    name: 'kube',
    version,
    key: hash([script, ...readSources('kube', ['go.mod', 'go.sum', 'main.go'])]),
    script,
  };
}

/** A Go program of ours in the folder of its name. */
function sourceBuild(name: string): Build {
  const script = `cd ${name}; CGO_ENABLED=0 go build -ldflags "-s -w" -o "$OUT/${name}" .`;
  const sources = readSources(name, ['go.mod', 'go.sum', 'main.go', 'ports.go', 'rules.go', 'world.go']);
  return { name, version: '', key: hash([script, ...sources]), script };
}

function toolBuilds(): readonly Build[] {
  const tools: Record<string, ToolVersion> = JSON.parse(readFileSync(join(sourceDir, 'versions.json'), 'utf8'));
  return Object.entries(tools).map(([name, tool]) => {
    const packages = tool.packages.map((path) => `${join(tool.module, path)}@${tool.version}`);
    const options = `${tool.tags ? `-tags ${tool.tags} ` : ''}-ldflags "-s -w"`;
    const script = `cd /; CGO_ENABLED=${tool.cgo ? 1 : 0} GOBIN="$OUT" go install ${options} ${packages.join(' ')}`;
    return { name, version: tool.version, key: hash([script]), script };
  });
}

function readSources(directory: string, files: readonly string[]): readonly string[] {
  const paths = files.map((file) => join(sourceDir, directory, file)).filter((path) => existsSync(path));
  return paths.map((path) => readFileSync(path, 'utf8'));
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}
