/**
 * Checks the Helm chart: `node .ci/chart.ts`. With `--write` the values table of docs/install.md is written anew.
 *
 * helm lint and template, kubeconform, kube-score and checkov over every value set of charts/kappa/ci, and what none of them knows: docs,
 * dashboard and rights agree with the rest of the repository. The tools go to `$XDG_CACHE_HOME/kappa-cluster/tools`; needs Go and Python 3.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ensureSchemas, kubernetesVersion } from './chart-schemas.ts';

type Json = Record<string, unknown>;

const repository = join(import.meta.dirname, '..');
const chart = join(repository, 'charts/kappa');
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kappa-cluster/tools');
const goTools = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
};
const checkovVersion = '3.3.30';
const oldestKubernetes = '1.33.0';

const problems: string[] = [];
const report = (what: string, text: string): void => {
  problems.push(what);
  console.error(`✗ ${what}\n${text.trim()}\n`);
};

/** Runs a checker; its words matter only when it is not content. */
function check(what: string, command: readonly string[], input?: string): string {
  const [program = '', ...rest] = command;
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: 'utf8', input, maxBuffer: 2 ** 27 });
  const said = `${error ?? ''}${stdout}${stderr}`.replace(/^\[(OK|SKIPPED)\].*\n/gm, '');
  if (status !== 0) report(what, said);
  else console.log(`✓ ${what}`);
  return stdout ?? '';
}

function goTool(name: keyof typeof goTools): string {
  const path = goTools[name];
  const directory = join(cache, `${name}-${path.slice(path.indexOf('@') + 1)}`);
  const program = join(directory, name);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  console.log(`building ${path}`);
  const env = { ...process.env, GOBIN: directory, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  execFileSync('nice', ['-n', '5', 'go', 'install', '-ldflags', '-s -w', path], { env, cwd: '/', stdio: 'inherit' });
  return program;
}

function checkov(): string {
  const directory = join(cache, `checkov-${checkovVersion}`);
  const program = join(directory, 'bin/checkov');
  if (existsSync(program)) return program;
  console.log(`installing checkov ${checkovVersion}`);
  rmSync(directory, { recursive: true, force: true });
  const makeVenv = (): unknown => execFileSync('python3', ['-m', 'venv', directory], { stdio: 'pipe' });
  try {
    makeVenv();
  } catch {
    installVenv(); // Debian's Python comes without the part that makes environments
    makeVenv();
  }
  const pip = [
    join(directory, 'bin/pip'),
    'install',
    '-q',
    '--disable-pip-version-check',
    `checkov==${checkovVersion}`,
  ];
  execFileSync('nice', ['-n', '5', ...pip], { stdio: 'inherit' });
  return program;
}

function installVenv(): void {
  if (process.getuid?.() !== 0) throw new Error('Python cannot make environments: please install python3-venv');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-q'], { env, stdio: 'inherit' });
  execFileSync('apt-get', ['install', '-q', '-y', 'python3-venv'], { env, stdio: 'inherit' });
}

/** All value sets through all checkers. @returns the rendered objects of each */
function checkRendered(): readonly Json[] {
  const [helm, kubeconform, kubeScore] = [goTool('helm'), goTool('kubeconform'), goTool('kube-score')];
  const schemas = ensureSchemas(cache);
  const rendered = join(tmpdir(), `kappa-chart-${process.pid}`);
  mkdirSync(rendered, { recursive: true });
  const objects: Json[] = [];
  for (const file of readdirSync(join(chart, 'ci')).sort()) {
    const values = ['-f', join(chart, 'ci', file)];
    check(`helm lint ${file}`, [helm, 'lint', '--strict', chart, ...values]);
    for (const version of [oldestKubernetes, kubernetesVersion]) {
      const command = [helm, 'template', 'kappa', chart, '-n', 'kappa-system', '--kube-version', version, ...values];
      const text = check(`helm template ${file} for ${version}`, command);
      check(
        `kubeconform ${file} for ${version}`,
        [kubeconform, '-strict', '-schema-location', schemas, '-summary', '-'],
        text,
      );
      if (version !== kubernetesVersion) continue;
      const kubeVersion = `v${version.replace(/\.\d+$/, '')}`;
      check(`kube-score ${file}`, [kubeScore, 'score', '--kubernetes-version', kubeVersion, '-o', 'ci', '-'], text);
      writeFileSync(join(rendered, file), text);
      objects.push(...parseAllDocuments(text).flatMap((document) => document.toJS() ?? []));
    }
  }
  const scan = ['-d', rendered, '--framework', 'kubernetes', '--quiet', '--compact', '--skip-download'];
  check('checkov', [checkov(), ...scan]);
  rmSync(rendered, { recursive: true });
  return objects;
}

/** No wildcard anywhere, and the setup may touch exactly the definitions that there are. */
function checkRights(objects: readonly Json[]): void {
  for (const { kind, metadata, rules } of objects) {
    const name = (metadata as Json)['name'];
    if (Array.isArray(rules) && JSON.stringify(rules).includes('"*"')) report(`${kind} ${name} has a wildcard`, '');
    if (kind !== 'ClusterRole' || name !== 'kappa-setup') continue;
    const manifests = readdirSync(join(repository, 'crds/manifests'));
    const expected = manifests.map((file) => file.replace('.yaml', '.kappa.dev')).sort();
    const found = (rules as Json[]).flatMap((rule) =>
      String(rule['resources']) === 'customresourcedefinitions' ? ((rule['resourceNames'] as string[]) ?? []) : [],
    );
    if (String(found) !== String(expected)) report('rights of kappa-setup', `${found}\nbut there are\n${expected}`);
  }
}

/** Objects of the chart with these settings, as of `--set`. */
function render(...settings: readonly string[]): readonly Json[] {
  const command = [goTool('helm'), 'template', 'kappa', chart, '--kube-version', kubernetesVersion];
  const values = settings.flatMap((setting) => ['--set', setting]);
  const text = check(`helm template with ${settings.join(', ')}`, [...command, ...values]);
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? []);
}

function objectOf(objects: readonly Json[], kind: string, name: string): Json | undefined {
  return objects.find((object) => object['kind'] === kind && (object['metadata'] as Json)['name'] === name);
}

/** Gateways may reach every endpoint of `awsEndpoints`: destinations of events are told there. */
function checkEgress(): void {
  const urls = ['AWS_ENDPOINT_URL=http://localstack:4566', 'AWS_ENDPOINT_URL_SQS=http://queues.example.org'];
  const more = ['AWS_ENDPOINT_URL_SNS=http://localstack:4566', 'AWS_ENDPOINT_URL_S3='];
  const objects = render(...[...urls, ...more].map((setting) => `awsEndpoints.${setting}`));
  const { egress } = (objectOf(objects, 'NetworkPolicy', 'kappa-gateway')?.['spec'] ?? {}) as { egress?: Json[] };
  const open = (egress ?? [])
    .filter(({ to }) => to === undefined)
    .flatMap(({ ports }) => (ports as Json[]).map(({ port }) => port))
    .filter((port) => port === 4566 || port === 80);
  if (String(open.sort()) !== '4566,80') report('ports of awsEndpoints', `open for the gateway: ${open}`);
}

/** The folder /tmp of functions is as large as was said: the controller's container makes their pods. */
function checkTmp(): void {
  const pod = JSON.stringify(objectOf(render('functions.tmp.sizeMiB=1234'), 'Deployment', 'kappa-controller') ?? {});
  const { spec } = (JSON.parse(pod).spec?.template ?? {}) as { spec?: Record<string, Json[]> };
  const containers = [...(spec?.['initContainers'] ?? []), ...(spec?.['containers'] ?? [])];
  const told = containers.filter(({ env }) =>
    JSON.stringify(env).includes('{"name":"KAPPA_POOL_TMP_MIB","value":"1234"}'),
  );
  const names = String(told.map(({ name }) => name));
  if (names !== 'controller') report('functions.tmp', `KAPPA_POOL_TMP_MIB is told to: ${names}`);
}

/** The dashboard asks for metrics that docs/metrics.md knows. */
function checkDashboard(): void {
  const documented = readFileSync(join(repository, 'docs/metrics.md'), 'utf8');
  const asked = readFileSync(join(chart, 'dashboards/kappa.json'), 'utf8').matchAll(
    /kappa_(?:gateway|controller)_\w+/g,
  );
  const names = new Set([...asked].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));
  for (const name of names) {
    if (!documented.includes(`\`${name}\``))
      report(`the dashboard asks for ${name}`, 'docs/metrics.md does not know it');
  }
}

/** Settings that several parts have alike: one row for all. */
const everywhere = new Map([
  ['resources', 'requests and limits'],
  ['podAnnotations', 'annotations of the pods'],
  ['nodeSelector', 'where the pods run'],
  ['tolerations', 'where the pods run'],
  ['affinity', 'where the pods run'],
  ['extraEnv', "more environment, as in a container's `env`"],
  ['serviceAccountAnnotations', 'for example the role of a cloud'],
]);

/** Rows of the values table, from the schema's descriptions and the defaults of values.yaml. */
function valueRows(schema: Json, values: unknown, path: readonly string[]): readonly string[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>);
  return properties.flatMap(([key, inner]) => {
    if (key === 'global' || (path.length > 0 && everywhere.has(key))) return [];
    const value = (values as Json | undefined)?.[key];
    const here = [...path, key];
    if (inner['properties'] !== undefined) return valueRows(inner, value, here);
    const shown = JSON.stringify(value) ?? '–';
    return [
      `| \`${here.join('.')}\` | ${shown.length > 40 ? 'see values.yaml' : `\`${shown}\``} | ${inner['description']} |`,
    ];
  });
}

/** Every value is described by the schema, has a default, and stands in docs/install.md. */
function checkDocs(): void {
  const file = join(repository, 'docs/install.md');
  const [begin, end] = ['<!-- values: node .ci/chart.ts --write -->', '<!-- end of values -->'];
  const schema: Json = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8'));
  const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
  const shared = [...everywhere].map(([key, text]) => `| \`*.${key}\` | see values.yaml | ${text} |`);
  const rows = ['| value | default | what |', '| --- | --- | --- |', ...valueRows(schema, values, []), ...shared];
  const before = readFileSync(file, 'utf8');
  const [head = '', tail = ''] = [before.split(begin)[0], before.split(end)[1]];
  const after = `${head}${begin}\n${rows.join('\n')}\n${end}${tail}`;
  if (process.argv.includes('--write')) writeFileSync(file, after);
  else if (after !== before) report('docs/install.md', 'the values table is not up to date: node .ci/chart.ts --write');
  for (const key of missingDefaults(schema, values, '')) report(`values.yaml has no default for ${key}`, '');
}

function missingDefaults(schema: Json, values: unknown, path: string): readonly string[] {
  return Object.entries((schema['properties'] ?? {}) as Record<string, Json>).flatMap(([key, inner]) => {
    if (key === 'global') return [];
    const value = (values as Json | undefined)?.[key];
    return value === undefined ? [`${path}${key}`] : missingDefaults(inner, value, `${path}${key}.`);
  });
}

checkDocs();
checkDashboard();
checkEgress();
checkTmp();
checkRights(checkRendered());
console.log(problems.length === 0 ? 'the chart is fine' : `${problems.length} findings`);
process.exitCode = problems.length === 0 ? 0 : 1;
